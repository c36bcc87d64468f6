package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.backend.AttentionStatistics;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Generation after many prompts at once, against {@link Generator}, which takes one after the other, on the CPU. */
class BatchGeneratorTest {
    private static final int NEW_TOKENS = 12;
    private static final int TEXTS = 10;
    private static final Sampler SAMPLER = new Sampler(1, 0.9);
    private static final Predicate<int[]> NEVER = tokens -> false;
    private static final int[] NONE = {};

    /** New tokens, and the metrics of every layer. */
    private record Outcome(int[] tokens, List<LayerResult> layers) {}

    private static int[] prompt(int text) {
        return new Random(text).ints(1 + 5 * text % 23, 1, 90).toArray();
    }

    /** Ends some texts at different lengths. */
    private static Predicate<int[]> stop(int text) {
        return text % 3 == 1 ? tokens -> tokens.length == text : NEVER;
    }

    private static List<Metric> metrics() {
        return Metric.all(Metric.ALL).stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();
    }

    private static List<LayerResult> measure(
            Transformer model, IntFunction<AttentionStatistics> layers) {
        return IntStream.range(0, model.config().layers())
                .mapToObj(layer -> model.backend().measure(metrics(), layers.apply(layer), model.attentionSpec(layer)).getFirst())
                .toList();
    }

    private static List<Outcome> oneByOne(Transformer model) {
        List<Outcome> outcomes = new ArrayList<>();
        for (int text = 0; text < TEXTS; text++) {
            try (Sequence sequence = model.sequence(64)) {
                int[] tokens = new Generator(model, SAMPLER, NEW_TOKENS)
                        .generate(sequence, prompt(text), new Random(100 + text), LayerHook.NONE, stop(text));
                outcomes.add(new Outcome(tokens, measure(model, sequence::statistics)));
            }
        }
        return outcomes;
    }

    private static List<Outcome> batched(Transformer model, BatchGenerator.Size size, List<BatchGenerator.Prompt> prompts) {
        Outcome[] outcomes = new Outcome[prompts.size()];
        new BatchGenerator(model, SAMPLER, NEW_TOKENS, size, true).generate(prompts, LayerHook.NONE,
                (index, tokens, sequence, slot) -> {
                    assertEquals(prompts.get(index).ids().length + tokens.length - 1, sequence.tokens(slot));
                    outcomes[index] = new Outcome(
                            tokens, measure(model, layer -> sequence.statistics(layer, slot)));
                });
        return List.of(outcomes);
    }

    private static List<BatchGenerator.Prompt> prompts() {
        return IntStream.range(0, TEXTS)
                .mapToObj(text -> new BatchGenerator.Prompt(prompt(text), NONE, new Random(100 + text), stop(text)))
                .toList();
    }

    /** @param parts whether prompts were read in parts: column sums are then added in another order */
    private static void compare(String what, Outcome expected, Outcome actual, boolean parts) {
        assertArrayEquals(expected.tokens, actual.tokens, what);
        for (int layer = 0; layer < expected.layers.size(); layer++) {
            for (Metric metric : metrics()) {
                double[][] heads = expected.layers.get(layer).of(metric);
                for (int head = 0; head < heads.length; head++) {
                    assertArrayEquals(heads[head], actual.layers.get(layer).of(metric)[head],
                            parts ? Tolerance.fp32(floats(heads[head])) : 0,
                            "%s, %s of layer %d, head %d".formatted(what, metric.key(), layer, head));
                }
            }
        }
    }

    /** For a tolerance: 0 in place of undefined values. */
    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = Double.isNaN(values[i]) ? 0 : (float) values[i];
        }
        return floats;
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "mistral-window", "gemma2", "gemma3", "gpt-oss"})
    void otherTextsChangeNothing(String fixture) {
        try (LoadedModel loaded = LoadedModel.open(fixture)) {
            List<Outcome> expected = oneByOne(loaded.model());
            for (int texts : new int[] {1, 3, 8}) {
                for (boolean parts : new boolean[] {false, true}) {
                    BatchGenerator.Size size = parts
                            ? new BatchGenerator.Size(texts, 9, 4) : new BatchGenerator.Size(texts, 1000, 1000);
                    List<Outcome> actual = batched(loaded.model(), size, prompts());
                    for (int text = 0; text < TEXTS; text++) {
                        compare("%s, text %d".formatted(size, text), expected.get(text), actual.get(text), parts);
                    }
                }
            }
        }
    }

    /** Given tokens are read in the passes in which they would be generated, and give the same statistics to the bit. */
    @Test
    void givenTokensReplayTheGeneration() {
        try (LoadedModel loaded = LoadedModel.open("llama")) {
            BatchGenerator.Size size = new BatchGenerator.Size(4, 1000, 8);
            List<Outcome> generated = batched(loaded.model(), size, prompts());
            List<Outcome> replayed = batched(loaded.model(), size, IntStream.range(0, TEXTS)
                    .mapToObj(text -> new BatchGenerator.Prompt(
                            prompt(text), generated.get(text).tokens, new Random(0), NEVER))
                    .toList());
            for (int text = 0; text < TEXTS; text++) {
                assertArrayEquals(generated.get(text).tokens, replayed.get(text).tokens);
                for (int layer = 0; layer < generated.get(text).layers.size(); layer++) {
                    for (Metric metric : metrics()) {
                        assertTrue(Arrays.deepEquals(generated.get(text).layers.get(layer).of(metric),
                                replayed.get(text).layers.get(layer).of(metric)), metric.key());
                    }
                }
            }
        }
    }

    @Test
    void withoutStatistics() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            List<Outcome> expected = oneByOne(loaded.model());
            int[] ended = new int[TEXTS];
            new BatchGenerator(loaded.model(), SAMPLER, NEW_TOKENS, new BatchGenerator.Size(3, 100, 100), false)
                    .generate(prompts(), LayerHook.NONE, (index, tokens, sequence, slot) -> {
                        ended[index]++;
                        assertArrayEquals(expected.get(index).tokens, tokens);
                        assertThrows(IllegalStateException.class, () -> sequence.statistics(0, slot));
                    });
            assertArrayEquals(IntStream.generate(() -> 1).limit(TEXTS).toArray(), ended);
        }
    }

    @Test
    void noPromptsAndWrongSizes() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            BatchGenerator.Size size = new BatchGenerator.Size(3, 100, 100);
            assertEquals(List.of(), batched(loaded.model(), size, List.of()));
            assertThrows(IllegalArgumentException.class, () -> new BatchGenerator(loaded.model(), SAMPLER, 0, size, true));
            assertThrows(IllegalArgumentException.class, () -> new BatchGenerator.Size(0, 1, 1));
            List<BatchGenerator.Prompt> tooLong =
                    List.of(new BatchGenerator.Prompt(new int[60], NONE, new Random(1), NEVER));
            assertEquals("a text of up to 71 tokens; the model takes at most 64", assertThrows(
                    IllegalArgumentException.class, () -> batched(loaded.model(), size, tooLong)).getMessage());
        }
    }
}
