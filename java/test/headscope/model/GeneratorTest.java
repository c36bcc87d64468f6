package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.backend.Backend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Safetensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts that a model continues: what is observed of them, what is drawn, and where they end. */
class GeneratorTest {
    private static final int[] PROMPT = {1, 17, 42, 5, 90, 33, 8};
    private static final int NEW = 17;
    private static final Predicate<int[]> NEVER = made -> false;

    @TempDir
    private Path folder;

    private static <T> T with(Path fixture, Function<Transformer, T> use) {
        try (Backend backend = Backend.open("cpu")) {
            T result;
            try (Checkpoint checkpoint = Checkpoint.open(fixture);
                    Transformer model = new Transformer(checkpoint, backend)) {
                result = use.apply(model);
            }
            assertEquals(0, backend.liveBytes());
            return result;
        }
    }

    private static int[] made(Transformer model, Sampler sampler, int limit, long seed, Predicate<int[]> finished) {
        try (Sequence text = model.sequence(64)) {
            int[] made = new Generator(model, sampler, limit).continueText(text, PROMPT, new Random(seed), finished);
            assertEquals(PROMPT.length + made.length - 1, text.tokens());
            return made;
        }
    }

    /** Attention summed up over prompt and generated tokens is that of the same tokens in one pass. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "mistral-window", "gemma2", "gemma3", "gpt-oss"})
    void decodingSeesWhatTeacherForcingSees(String fixture) {
        List<Metric> metrics = Metric.all(Metric.ALL).stream()
                .filter(metric -> !(metric instanceof Metric.Symmetric))
                .toList();
        with(Fixtures.folder(fixture), model -> {
            try (Sequence generated = model.sequence(64); Sequence forced = model.sequence(40)) {
                int[] made = new Generator(model, new Sampler(1, 1), NEW)
                        .continueText(generated, PROMPT, new Random(3), NEVER);
                int[] ids = Arrays.copyOf(PROMPT, PROMPT.length + made.length - 1);
                System.arraycopy(made, 0, ids, PROMPT.length, made.length - 1);
                model.forward(forced, ids, LayerHook.NONE);
                assertEquals(ids.length, generated.tokens());
                for (int layer = 0; layer < model.config().layers(); layer++) {
                    assertEquals(ids.length, generated.statistics(layer).tokens());
                    LayerResult expected = measure(model, metrics, forced, layer);
                    LayerResult actual = measure(model, metrics, generated, layer);
                    for (Metric metric : metrics) {
                        compare("%s of layer %d".formatted(metric.key(), layer),
                                expected.of(metric), actual.of(metric));
                    }
                }
                return null;
            }
        });
    }

    private static LayerResult measure(Transformer model, List<Metric> metrics, Sequence text, int layer) {
        return model.backend().measure(metrics, text.statistics(layer), model.attentionSpec(layer));
    }

    private static void compare(String what, double[][] expected, double[][] actual) {
        for (int head = 0; head < expected.length; head++) {
            float[] values = new float[expected[head].length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) expected[head][i];
            }
            assertArrayEquals(expected[head], actual[head], Tolerance.fp32(values), what + ", head " + head);
        }
    }

    /** The likeliest tokens are those that transformers picked. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "mistral-window", "gemma2", "gemma3", "gpt-oss", "qwen2"})
    void greedyIsWhatTheOriginalLibraryPicks(String fixture) {
        with(Fixtures.folder(fixture), model -> {
            try (Safetensors expected = Safetensors.open(Fixtures.folder(fixture).resolve("expected.safetensors"));
                    Sequence text = model.sequence(64)) {
                int[] greedy = ids(expected, "greedy");
                int[] made = new Generator(model, Sampler.GREEDY, greedy.length)
                        .continueText(text, ids(expected, "input_ids"), new Random(1), NEVER);
                assertArrayEquals(Arrays.copyOf(greedy, made.length), made);
                assertTrue(made.length == greedy.length
                        || model.config().endOfText().contains(made[made.length - 1]));
                return null;
            }
        });
    }

    private static int[] ids(Safetensors file, String name) {
        return Arrays.stream(file.get(name).longs()).mapToInt(Math::toIntExact).toArray();
    }

    @Test
    void theSeedDecides() {
        with(Fixtures.folder("llama"), model -> {
            Sampler sampler = new Sampler(1, 0.95);
            int[] first = made(model, sampler, NEW, 1, NEVER);
            assertArrayEquals(first, made(model, sampler, NEW, 1, NEVER));
            assertFalse(Arrays.equals(first, made(model, sampler, NEW, 2, NEVER)));
            return null;
        });
    }

    @Test
    void theLeastTopPIsGreedy() {
        with(Fixtures.folder("gpt2"), model -> {
            int[] greedy = made(model, Sampler.GREEDY, NEW, 1, NEVER);
            assertArrayEquals(greedy, made(model, new Sampler(1, 1e-9), NEW, 2, NEVER));
            assertArrayEquals(greedy, made(model, new Sampler(1e-6, 1), NEW, 3, NEVER));
            return null;
        });
    }

    @Test
    void endsAtTheLimit() {
        with(Fixtures.folder("gpt2"), model -> {
            int[] greedy = made(model, Sampler.GREEDY, NEW, 1, NEVER);
            for (int limit : new int[] {1, 2, NEW - 1}) {
                assertArrayEquals(Arrays.copyOf(greedy, limit), made(model, Sampler.GREEDY, limit, 1, NEVER));
            }
            assertThrows(IllegalArgumentException.class, () -> new Generator(model, Sampler.GREEDY, 0));
            return null;
        });
    }

    @Test
    void endsWhereTheAnswerIsWhole() {
        with(Fixtures.folder("gpt2"), model -> {
            int[] greedy = made(model, Sampler.GREEDY, NEW, 1, NEVER);
            assertArrayEquals(Arrays.copyOf(greedy, 3),
                    made(model, Sampler.GREEDY, NEW, 1, made -> made.length == 3 && made[2] == greedy[2]));
            return null;
        });
    }

    /** The end-of-text token stays in the answer; any of several ends it. */
    @Test
    void endsAtTheEndOfTextToken() {
        int[] greedy = with(Fixtures.folder("llama"), model -> made(model, Sampler.GREEDY, NEW, 1, NEVER));
        int end = greedy[4];
        int first = 0;
        while (greedy[first] != end) {
            first++;
        }
        int length = first + 1;
        Path changed = Fixtures.weights("llama", folder, same -> {});
        Fixtures.config("llama", folder, config -> config.putArray("eos_token_id").add(95).add(end));
        with(changed, model -> {
            assertTrue(model.config().endOfText().contains(end));
            assertArrayEquals(Arrays.copyOf(greedy, length), made(model, Sampler.GREEDY, NEW, 1, NEVER));
            return null;
        });
    }

    @Test
    void textsThatDoNotFit() {
        with(Fixtures.folder("gpt2"), model -> {
            try (Sequence small = model.sequence(4); Sequence large = model.sequence(100)) {
                refused("7 tokens; the model takes at most 64, this text at most 4", model, small, PROMPT);
                refused("65 tokens; the model takes at most 64, this text at most 100", model, large, new int[65]);
                assertEquals(0, small.tokens());
            }
            return null;
        });
    }

    private static void refused(String message, Transformer model, Sequence text, int[] ids) {
        assertEquals(message, assertThrows(
                IllegalArgumentException.class, () -> model.forward(text, ids, LayerHook.NONE)).getMessage());
    }

    /** Another text in the same memory leaves no trace of the one before. */
    @Test
    void clearedTextsAreAsNew() {
        Metric eigenvalues = new Metric.LaplacianEigenvalues(Metric.ALL);
        with(Fixtures.folder("mistral-window"), model -> {
            try (Sequence text = model.sequence(64)) {
                Generator generator = new Generator(model, Sampler.GREEDY, NEW);
                int[] fresh = generator.continueText(text, PROMPT, new Random(1), NEVER);
                double[][] expected = measure(model, List.of(eigenvalues), text, 1).of(eigenvalues);
                text.clear();
                model.forward(text, new int[] {9, 8, 7, 6, 5, 4, 3, 2, 1}, LayerHook.NONE);
                text.clear();
                assertArrayEquals(fresh, generator.continueText(text, PROMPT, new Random(1), NEVER));
                double[][] again = measure(model, List.of(eigenvalues), text, 1).of(eigenvalues);
                for (int head = 0; head < expected.length; head++) {
                    assertArrayEquals(expected[head], again[head]);
                }
            }
            return null;
        });
    }
}
