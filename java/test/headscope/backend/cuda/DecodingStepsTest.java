package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Precision;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.BatchGenerator;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Generation with recorded steps, against the same passes launched one by one. */
class DecodingStepsTest {
    private static final int[] NONE = {};

    /** Observes layers, so that no step is recorded. */
    private static final LayerHook OBSERVER = new LayerHook() {};

    private static final int NEW_TOKENS = 14;

    /**
     * What generation gives for a text.
     *
     * @param layers     metrics of every layer
     * @param columnSums of every layer and head
     * @param sums       over rows, of every layer
     */
    record Outcome(int[] tokens, List<LayerResult> layers, List<double[]> columnSums, List<double[]> sums) {}

    private static List<Metric> metrics() {
        return Metric.all(Metric.ALL).stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();
    }

    static Transformer open(String fixture, Backend backend) {
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("java/test/headscope/fixtures", fixture))) {
            return new Transformer(checkpoint, backend);
        }
    }

    /** Texts of different lengths that end at different lengths. */
    private static List<BatchGenerator.Prompt> prompts(int texts) {
        return IntStream.range(0, texts).mapToObj(text -> new BatchGenerator.Prompt(
                new Random(text).ints(1 + 5 * text % 23, 1, 90).toArray(), NONE, new Random(100 + text),
                tokens -> text % 3 == 1 && tokens.length == text)).toList();
    }

    static List<Outcome> launchedOneByOne(Transformer model) {
        return generate(model, Sampler.GREEDY, 5, 3, true, OBSERVER);
    }

    static List<Outcome> recorded(Transformer model) {
        return generate(model, Sampler.GREEDY, 5, 3, true, LayerHook.NONE);
    }

    private static List<Outcome> generate(
            Transformer model, Sampler sampler, int texts, int together, boolean statistics, LayerHook hook) {
        return generate(model, sampler, prompts(texts), together, statistics, hook);
    }

    private static List<Outcome> generate(
            Transformer model, Sampler sampler, List<BatchGenerator.Prompt> prompts, int together, boolean statistics,
            LayerHook hook) {
        Outcome[] outcomes = new Outcome[prompts.size()];
        new BatchGenerator(model, sampler, NEW_TOKENS, new BatchGenerator.Size(together, 1000, 8), statistics)
                .generate(prompts, hook, (index, tokens, sequence, slot) -> {
                    assertEquals(prompts.get(index).ids().length + tokens.length - 1, sequence.tokens(slot));
                    Outcome outcome = new Outcome(tokens, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
                    for (int layer = 0; statistics && layer < model.config().layers(); layer++) {
                        AttentionStatistics rows = sequence.statistics(layer, slot);
                        outcome.layers.add(model.backend().measure(
                                metrics(), rows, model.attentionSpec(layer)).getFirst());
                        double[] columns = doubles(model.backend(), rows.columnSum);
                        for (int head = 0; head < rows.heads(); head++) {
                            int first = head * rows.capacity();
                            outcome.columnSums.add(Arrays.copyOfRange(columns, first, first + rows.tokens()));
                        }
                        outcome.sums.add(doubles(model.backend(), rows.sums));
                    }
                    outcomes[index] = outcome;
                });
        return List.of(outcomes);
    }

    private static double[] doubles(Backend backend, Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.count())];
        backend.download(MemorySegment.ofArray(values), tensor);
        return values;
    }

    static void assertSame(List<Outcome> expected, List<Outcome> actual) {
        for (int text = 0; text < expected.size(); text++) {
            assertArrayEquals(expected.get(text).tokens, actual.get(text).tokens, "text " + text);
            assertSame(expected.get(text).columnSums, actual.get(text).columnSums, "column sums of text " + text);
            assertSame(expected.get(text).sums, actual.get(text).sums, "sums of text " + text);
            for (int layer = 0; layer < expected.get(text).layers.size(); layer++) {
                for (Metric metric : metrics()) {
                    assertTrue(Arrays.deepEquals(expected.get(text).layers.get(layer).of(metric),
                            actual.get(text).layers.get(layer).of(metric)),
                            "text %d, layer %d, %s".formatted(text, layer, metric.key()));
                }
            }
        }
    }

    private static void assertSame(List<double[]> expected, List<double[]> actual, String what) {
        assertEquals(expected.size(), actual.size(), what);
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), what);
        }
    }

    /** Positions that are added, rotated in every way, windows, sinks, experts; 16-bit operands. */
    @ParameterizedTest
    @CsvSource({"gpt2, F32", "llama, BF16", "mistral-window, F16", "gemma3, F32", "gpt-oss, F32"})
    void sameTokensAndStatisticsToTheBit(String fixture, Precision precision) {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        try (Backend backend = new CudaBackend(device, precision); Transformer model = open(fixture, backend)) {
            Sampler sampler = precision == Precision.F32 ? new Sampler(1, 0.9) : Sampler.GREEDY;
            List<Outcome> expected = generate(model, sampler, 5, 3, true, OBSERVER);
            assertEquals(0, device.replays());
            assertSame(expected, generate(model, sampler, 5, 3, true, LayerHook.NONE));
            assertTrue(device.replays() > 5, device.replays() + " steps were recorded");
        }
    }

    @Test
    void oneTextAndNoStatistics() {
        try (Backend backend = EmulatedDevice.open(DType.F32); Transformer model = open("llama", backend)) {
            for (boolean statistics : new boolean[] {false, true}) {
                assertSame(generate(model, Sampler.GREEDY, 2, 1, statistics, OBSERVER),
                        generate(model, Sampler.GREEDY, 2, 1, statistics, LayerHook.NONE));
            }
        }
    }

    /**
     * Texts that end where the host finds a token that it looks for, at the end-of-text token, and at the maximum length, while
     * others go on. What ended texts compute in the step that is launched ahead is in no result and in no count.
     */
    @Test
    void textsThatEndDropTheStepAhead() {
        try (Backend backend = EmulatedDevice.open(DType.F32); Transformer model = open("llama", backend)) {
            Sampler sampler = new Sampler(2, 1);
            List<Integer> expectedTests = new ArrayList<>();
            List<Integer> tests = new ArrayList<>();
            List<Outcome> expected = generate(model, sampler, endingInEveryWay(expectedTests), 4, true, OBSERVER);
            int[] rows = new int[2];
            List<Outcome> actual = generate(model, sampler, endingInEveryWay(tests), 4, true, new LayerHook() {
                @Override
                public boolean onlyCounts() {
                    return true;
                }

                @Override
                public void headOutputs(int layer, Tensor heads) {
                    rows[0] += layer == 0 ? heads.intSize(0) : 0;
                }

                @Override
                public void passed(int tokens) {
                    rows[1] += tokens;
                }
            });
            assertSame(expected, actual);
            assertEquals(expectedTests.stream().sorted().toList(), tests.stream().sorted().toList());
            assertTrue(rows[1] > 20, rows[1] + " rows of steps on the device");
            assertEquals(actual.stream().mapToInt(text -> text.columnSums.getFirst().length).sum(), rows[0] + rows[1]);
            int end = model.config().vocabulary().endOfText().iterator().next();
            assertTrue(actual.stream().anyMatch(text -> text.tokens.length == NEW_TOKENS), "maximum length");
            assertTrue(actual.stream().anyMatch(text -> last(text) == end && text.tokens.length < NEW_TOKENS), "end of text");
            assertTrue(IntStream.range(0, actual.size()).anyMatch(text -> stops(text, last(actual.get(text)))), "stop");
        }
    }

    private static int last(Outcome text) {
        return text.tokens[text.tokens.length - 1];
    }

    private static boolean stops(int text, int token) {
        return text % 2 == 1 && token % 7 == 3;
    }

    /** @param tests receives the text of each test on the host */
    private static List<BatchGenerator.Prompt> endingInEveryWay(List<Integer> tests) {
        return IntStream.range(0, 16).mapToObj(text -> new BatchGenerator.Prompt(
                new Random(text).ints(1 + 7 * text % 20, 1, 90).toArray(), NONE, new Random(text), tokens -> {
                    tests.add(text);
                    return stops(text, tokens[tokens.length - 1]);
                })).toList();
    }

    /**
     * A step is one launch and one download; nothing else is launched, uploaded or downloaded. Each is launched before the
     * tokens of the one before are downloaded, except after the last: then none is launched in vain.
     */
    @Test
    void aStepIsOneLaunchAndOneDownload() {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        try (Backend backend = new CudaBackend(device, Precision.F32); Transformer model = open("llama", backend)) {
            List<List<Long>> counts = new ArrayList<>();
            LayerHook counter = new LayerHook() {
                @Override
                public boolean onlyCounts() {
                    return true;
                }

                @Override
                public void passed(int tokens) {
                    assertEquals(3, tokens);
                    counts.add(List.of(device.replays(), device.launches(), device.uploads(), device.downloads(),
                            device.downloadedBytes()));
                }
            };
            List<BatchGenerator.Prompt> prompts = IntStream.range(0, 3).mapToObj(text -> new BatchGenerator.Prompt(
                    new int[] {1, 2, text}, NONE, new Random(text), tokens -> false)).toList();
            new BatchGenerator(model, Sampler.GREEDY, 20, new BatchGenerator.Size(3, 1000, 1000), true)
                    .generate(prompts, counter, (index, tokens, sequence, slot) -> {});
            assertEquals(19, counts.size());
            assertEquals(IntStream.range(0, 19).mapToObj(step -> Math.min(step + 1L, 18)).toList(), device.replaysReceived());
            for (int step = 1; step < counts.size() - 1; step++) {
                List<Long> before = counts.get(step - 1);
                List<Long> after = counts.get(step);
                assertEquals(List.of(1L, 0L, 0L, 1L, 3L * Integer.BYTES),
                        IntStream.range(0, 5).mapToObj(i -> after.get(i) - before.get(i)).toList(), "step " + step);
            }
        }
    }

    /** A launch takes the values that its arguments had when it was recorded, but reads memory as it is. */
    @Test
    void aRecordingKeepsValuesAndReadsMemory() {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        RecordingChecks.run(device);
        device.close();
    }
}
