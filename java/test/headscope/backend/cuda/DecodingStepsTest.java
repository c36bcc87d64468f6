package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

    /** New tokens, and the metrics of every layer. */
    record Outcome(int[] tokens, List<LayerResult> layers) {}

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
        Outcome[] outcomes = new Outcome[texts];
        new BatchGenerator(model, sampler, 14, new BatchGenerator.Size(together, 1000, 8), statistics)
                .generate(prompts(texts), hook, (index, tokens, sequence, slot) -> {
                    List<LayerResult> layers = new ArrayList<>();
                    for (int layer = 0; statistics && layer < model.config().layers(); layer++) {
                        layers.add(model.backend().measure(
                                metrics(), sequence.statistics(layer, slot), model.attentionSpec(layer)).getFirst());
                    }
                    outcomes[index] = new Outcome(tokens, layers);
                });
        return List.of(outcomes);
    }

    static void assertSame(List<Outcome> expected, List<Outcome> actual) {
        for (int text = 0; text < expected.size(); text++) {
            assertArrayEquals(expected.get(text).tokens, actual.get(text).tokens, "text " + text);
            for (int layer = 0; layer < expected.get(text).layers.size(); layer++) {
                for (Metric metric : metrics()) {
                    assertTrue(Arrays.deepEquals(expected.get(text).layers.get(layer).of(metric),
                            actual.get(text).layers.get(layer).of(metric)),
                            "text %d, layer %d, %s".formatted(text, layer, metric.key()));
                }
            }
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

    /** A step is one launch and one download; nothing else is launched, uploaded or downloaded. */
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
            for (int step = 2; step < counts.size(); step++) {
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
