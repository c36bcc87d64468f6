package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Safetensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Generation: attention statistics, sampling, and when it ends. */
class GeneratorTest {
    private static final int[] PROMPT = {1, 17, 42, 5, 90, 33, 8};
    private static final int NEW_TOKENS = 17;
    private static final Predicate<int[]> NEVER = tokens -> false;

    @TempDir
    private Path folder;

    private static int[] generate(Transformer model, Sampler sampler, int limit, long seed, Predicate<int[]> stop) {
        try (Sequence sequence = model.sequence(64)) {
            int[] tokens = new Generator(model, sampler, limit)
                    .generate(sequence, PROMPT, new Random(seed), LayerHook.NONE, stop);
            assertEquals(PROMPT.length + tokens.length - 1, sequence.tokens());
            return tokens;
        }
    }

    private static int[] greedy(Transformer model) {
        return generate(model, Sampler.GREEDY, NEW_TOKENS, 1, NEVER);
    }

    /** Statistics accumulated token by token equal those of one pass over the same tokens. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "mistral-window", "gemma2", "gemma3", "gpt-oss"})
    void decodingMatchesTeacherForcing(String fixture) {
        List<Metric> metrics = Metric.all(Metric.ALL).stream()
                .filter(metric -> !(metric instanceof Metric.Symmetric))
                .toList();
        try (LoadedModel loaded = LoadedModel.open(fixture);
                Sequence generated = loaded.model().sequence(64);
                Sequence forced = loaded.model().sequence(40)) {
            Transformer model = loaded.model();
            int[] tokens = new Generator(model, new Sampler(1, 1), NEW_TOKENS)
                    .generate(generated, PROMPT, new Random(3), LayerHook.NONE, NEVER);
            int[] ids = Arrays.copyOf(PROMPT, PROMPT.length + tokens.length - 1);
            System.arraycopy(tokens, 0, ids, PROMPT.length, tokens.length - 1);
            model.forward(forced, ids, LayerHook.NONE);
            assertEquals(ids.length, generated.tokens());
            for (int layer = 0; layer < model.config().layers(); layer++) {
                assertEquals(ids.length, generated.statistics(layer).tokens());
                LayerResult expected = measure(model, metrics, forced, layer);
                LayerResult actual = measure(model, metrics, generated, layer);
                for (Metric metric : metrics) {
                    compare("%s of layer %d".formatted(metric.key(), layer), expected.of(metric), actual.of(metric));
                }
            }
        }
    }

    private static LayerResult measure(Transformer model, List<Metric> metrics, Sequence sequence, int layer) {
        return model.backend().measure(metrics, sequence.statistics(layer), model.attentionSpec(layer)).getFirst();
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

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "mistral-window", "gemma2", "gemma3", "gpt-oss", "qwen2"})
    void greedyTokensMatchTransformers(String fixture) {
        try (LoadedModel loaded = LoadedModel.open(fixture);
                Safetensors expected = Safetensors.open(Fixtures.folder(fixture).resolve("expected.safetensors"));
                Sequence sequence = loaded.model().sequence(64)) {
            int[] greedy = Fixtures.ids(expected, "greedy");
            int[] tokens = new Generator(loaded.model(), Sampler.GREEDY, greedy.length)
                    .generate(sequence, Fixtures.ids(expected, "input_ids"), new Random(1), LayerHook.NONE, NEVER);
            assertArrayEquals(Arrays.copyOf(greedy, tokens.length), tokens);
            assertTrue(tokens.length == greedy.length
                    || loaded.model().config().vocabulary().endOfText().contains(tokens[tokens.length - 1]));
        }
    }

    @Test
    void samplingDependsOnTheSeedAlone() {
        try (LoadedModel loaded = LoadedModel.open("llama")) {
            Sampler sampler = new Sampler(1, 0.95);
            int[] first = generate(loaded.model(), sampler, NEW_TOKENS, 1, NEVER);
            assertArrayEquals(first, generate(loaded.model(), sampler, NEW_TOKENS, 1, NEVER));
            assertFalse(Arrays.equals(first, generate(loaded.model(), sampler, NEW_TOKENS, 2, NEVER)));
        }
    }

    @Test
    void tinyTopPAndTinyTemperatureAreGreedy() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            Transformer model = loaded.model();
            int[] greedy = greedy(model);
            assertArrayEquals(greedy, generate(model, new Sampler(1, 1e-9), NEW_TOKENS, 2, NEVER));
            assertArrayEquals(greedy, generate(model, new Sampler(1e-6, 1), NEW_TOKENS, 3, NEVER));
        }
    }

    @Test
    void endsAtTheLimit() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            Transformer model = loaded.model();
            int[] greedy = greedy(model);
            for (int limit : new int[] {1, 2, NEW_TOKENS - 1}) {
                assertArrayEquals(Arrays.copyOf(greedy, limit), generate(model, Sampler.GREEDY, limit, 1, NEVER));
            }
            assertThrows(IllegalArgumentException.class, () -> new Generator(model, Sampler.GREEDY, 0));
        }
    }

    @Test
    void endsWhenThePredicateIsTrue() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            Transformer model = loaded.model();
            int[] greedy = greedy(model);
            assertArrayEquals(Arrays.copyOf(greedy, 3), generate(model, Sampler.GREEDY, NEW_TOKENS, 1,
                    tokens -> tokens.length == 3 && tokens[2] == greedy[2]));
        }
    }

    /** The flag is set while the third token is being decoded: that token is kept, and no other follows. */
    @Test
    void anotherThreadCancelsAfterTheCurrentToken() {
        try (LoadedModel loaded = LoadedModel.open("gpt2"); Sequence sequence = loaded.model().sequence(64)) {
            Transformer model = loaded.model();
            int[] greedy = greedy(model);
            AtomicBoolean cancelled = new AtomicBoolean();
            CountDownLatch decoding = new CountDownLatch(1);
            CountDownLatch flagged = new CountDownLatch(1);
            Thread.ofVirtual().start(() -> {
                await(decoding);
                cancelled.set(true);
                flagged.countDown();
            });
            LayerHook hook = new LayerHook() {
                @Override
                public void attention(int layer, Attention attention) {
                    if (attention.key().size(0) == PROMPT.length + 2) {
                        decoding.countDown();
                        await(flagged);
                    }
                }
            };
            int[] tokens = new Generator(model, Sampler.GREEDY, NEW_TOKENS)
                    .generate(sequence, PROMPT, new Random(1), hook, newTokens -> cancelled.get());
            assertArrayEquals(Arrays.copyOf(greedy, 3), tokens);
            assertEquals(PROMPT.length + 2, sequence.tokens());
            assertEquals(PROMPT.length + 2, sequence.statistics(0).tokens());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    /** Each of several end-of-text tokens ends the text, and is part of it. */
    @Test
    void endsAtTheEndOfTextToken() {
        int[] greedy;
        try (LoadedModel loaded = LoadedModel.open("llama")) {
            greedy = greedy(loaded.model());
        }
        int end = greedy[4];
        int first = 0;
        while (greedy[first] != end) {
            first++;
        }
        Path changed = Fixtures.weights("llama", folder, same -> {});
        Fixtures.config("llama", folder, config -> config.putArray("eos_token_id").add(95).add(end));
        try (LoadedModel loaded = LoadedModel.open(changed)) {
            assertTrue(loaded.model().config().vocabulary().endOfText().contains(end));
            assertArrayEquals(Arrays.copyOf(greedy, first + 1), greedy(loaded.model()));
        }
    }

    @Test
    void refusesSequencesThatDoNotFit() {
        try (LoadedModel loaded = LoadedModel.open("gpt2");
                Sequence small = loaded.model().sequence(4);
                Sequence large = loaded.model().sequence(100)) {
            assertRejected(
                    "7 tokens; the model takes at most 64, this sequence at most 4", loaded.model(), small, PROMPT);
            assertRejected(
                    "65 tokens; the model takes at most 64, this sequence at most 100", loaded.model(), large,
                    new int[65]);
            assertEquals(0, small.tokens());
        }
    }

    private static void assertRejected(String message, Transformer model, Sequence sequence, int[] ids) {
        assertEquals(message, assertThrows(
                IllegalArgumentException.class, () -> model.forward(sequence, ids, LayerHook.NONE)).getMessage());
    }

    @Test
    void aClearedSequenceContainsNothingOfThePreviousText() {
        try (LoadedModel loaded = LoadedModel.open("mistral-window"); Sequence sequence = loaded.model().sequence(64)) {
            Transformer model = loaded.model();
            Generator generator = new Generator(model, Sampler.GREEDY, NEW_TOKENS);
            int[] fresh = generator.generate(sequence, PROMPT, new Random(1), LayerHook.NONE, NEVER);
            Metric metric = new Metric.LaplacianEigenvalues(Metric.ALL);
            double[][] expected = measure(model, List.of(metric), sequence, 1).of(metric);
            sequence.clear();
            model.forward(sequence, new int[] {9, 8, 7, 6, 5, 4, 3, 2, 1}, LayerHook.NONE);
            sequence.clear();
            assertArrayEquals(fresh, generator.generate(sequence, PROMPT, new Random(1), LayerHook.NONE, NEVER));
            double[][] again = measure(model, List.of(metric), sequence, 1).of(metric);
            for (int head = 0; head < expected.length; head++) {
                assertArrayEquals(expected[head], again[head]);
            }
        }
    }
}
