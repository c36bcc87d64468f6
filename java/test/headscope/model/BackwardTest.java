package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Devices;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches, gates, and gradients compared with central differences. */
class BackwardTest {
    private static final int TARGET = 5;

    @TempDir
    private Path folder;

    /** Never token 0, padding: its embedding is zero, where a norm multiplies gradients by a thousand. */
    private static int[] text(String name, int tokens) {
        return Seed.random(name).ints(tokens, 1, 96).toArray();
    }

    private static int[] fixedText(int tokens) {
        return new Random(tokens).ints(tokens, 1, 96).toArray();
    }

    /** Per text: loss at the last token, gradients of its gates, signed saliency of layer 0. */
    record Result(float[] losses, float[][] gates, float[][] signed) {}

    static Result run(Transformer model, List<int[]> texts, Optional<HeadGates> gates) {
        Batch batch = new Batch(texts);
        int heads = model.config().heads();
        float[][] gateGradients = new float[texts.size()][model.config().layers() * heads];
        float[][] signed = new float[texts.size()][];
        int[] rows = new int[texts.size()];
        int[] targets = new int[texts.size()];
        float[] factors = new float[texts.size()];
        for (int text = 0; text < rows.length; text++) {
            rows[text] = batch.first(text) + batch.texts().get(text).length - 1;
            targets[text] = TARGET + text;
            factors[text] = 1;
        }
        float[] losses;
        try (Tape tape = model.forward(batch, gates, LayerHook.NONE)) {
            Tensor logits = model.logits(tape, rows);
            losses = model.backend().gradients().crossEntropy(logits, targets, factors);
            model.backward(tape, rows, logits, new GradientHook() {
                @Override
                public Optional<AttentionSaliency.Request> saliency(int layer, int text) {
                    return layer == 0
                            ? Optional.of(AttentionSaliency.Request.vectors(batch.texts().get(text).length))
                            : Optional.empty();
                }

                @Override
                public void attention(int layer, int text, AttentionSpec spec, AttentionSaliency saliency) {
                    signed[text] = model.backend().download(saliency.signed);
                }

                @Override
                public void gates(int layer, int text, float[] gradient) {
                    System.arraycopy(gradient, 0, gateGradients[text], layer * heads, heads);
                }
            });
        }
        return new Result(losses, gateGradients, signed);
    }

    /** Results of a text do not depend on the other texts of the batch. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gpt-neox", "llama", "mistral-window", "gemma2", "gemma3", "olmo2", "gpt-oss"})
    void batchesMatchSingleTexts(String fixture) {
        try (LoadedModel loaded = LoadedModel.open(fixture)) {
            Transformer model = loaded.model();
            // A batch rounds otherwise than a text alone, which flips an expert where two are nearly tied: fixed texts for experts.
            List<int[]> texts = loaded.model().config().feedForward().experts().isPresent()
                    ? List.of(fixedText(7), fixedText(1), fixedText(33), fixedText(20))
                    : List.of(text("first", 7), text("second", 1), text("third", 33), text("fourth", 20));
            Result together = run(model, texts, Optional.empty());
            for (int text = 0; text < texts.size(); text++) {
                Batch alone = new Batch(List.of(texts.get(text)));
                int row = texts.get(text).length - 1;
                try (Tape tape = model.forward(alone, Optional.empty(), LayerHook.NONE)) {
                    Tensor logits = model.logits(tape, new int[] {row});
                    float[] loss = model.backend().gradients()
                            .crossEntropy(logits, new int[] {TARGET + text}, new float[] {1});
                    assertEquals(loss[0], together.losses()[text], Tolerance.fp32(loss), "loss of text " + text);
                    float[] gradient = new float[together.gates()[text].length];
                    int heads = model.config().heads();
                    model.backward(tape, new int[] {row}, logits, new GradientHook() {
                        @Override
                        public void gates(int layer, int same, float[] one) {
                            System.arraycopy(one, 0, gradient, layer * heads, heads);
                        }
                    });
                    assertArrayEquals(gradient, together.gates()[text], Tolerance.gradient(gradient),
                            "gradient of the gates of text " + text);
                }
                // Both are the sum of gradient * output over a head's rows.
                for (int head = 0; head < model.config().heads(); head++) {
                    double sum = 0;
                    for (int token = 0; token <= row; token++) {
                        sum += together.signed()[text][head * (row + 1) + token];
                    }
                    assertEquals(together.gates()[text][head], sum, Tolerance.gradient(together.gates()[text]),
                            "signed saliency of head " + head);
                }
            }
        }
    }

    /** A gate is equivalent to scaling the head's columns of the output projection. */
    @Test
    void gatesScaleHeads() {
        float[] factors = factors(Seed.random("gates"), 3 * 4);
        Path scaled = Fixtures.weights("gpt2", folder, tensors -> {
            for (int layer = 0; layer < 3; layer++) {
                int from = layer * 4;
                tensors.computeIfPresent("transformer.h." + layer + ".attn.c_proj.weight", (name, stored) -> {
                    float[] values = stored.floats();
                    int headRows = values.length / 4;
                    for (int i = 0; i < values.length; i++) {
                        values[i] *= factors[from + i / headRows];
                    }
                    return Fixtures.Raw.f32(stored.shape(), values);
                });
            }
        });
        int[] ids = text("gated", 12);
        float[] expected;
        try (LoadedModel loaded = LoadedModel.open(scaled)) {
            expected = logits(loaded.model(), ids, Optional.empty());
        }
        try (LoadedModel loaded = LoadedModel.open("gpt2");
                HeadGates gates = gates(loaded.model(), 0, factors);
                HeadGates fromTen = gates(loaded.model(), 9, factors)) {
            assertArrayEquals(
                    expected, logits(loaded.model(), ids, Optional.of(gates)), Tolerance.fp32(expected));
            float[] partly = logits(loaded.model(), ids, Optional.of(fromTen));
            float[] ungated = logits(loaded.model(), ids, Optional.empty());
            int before = 9 * loaded.model().config().vocabulary().size();
            assertArrayEquals(Arrays.copyOf(ungated, before), Arrays.copyOf(partly, before),
                    "tokens before the first gated token");
            assertTrue(Math.abs(ungated[before] - partly[before]) > Tolerance.fp32(ungated));
        }
    }

    /** Gates of the first text of a batch of one. */
    private static HeadGates gates(Transformer model, int fromToken, float[] factors) {
        return new HeadGates(model, List.of(new HeadGates.OfText(fromToken, factors)));
    }

    private static float[] factors(Random random, int count) {
        float[] factors = new float[count];
        for (int i = 0; i < count; i++) {
            factors[i] = random.nextFloat();
        }
        return factors;
    }

    /** Logits of all tokens. */
    private static float[] logits(Transformer model, int[] ids, Optional<HeadGates> gates) {
        int[] rows = new int[ids.length];
        Arrays.setAll(rows, row -> row);
        try (Tape tape = model.forward(new Batch(List.of(ids)), gates, LayerHook.NONE)) {
            return model.backend().download(model.logits(tape, rows));
        }
    }

    /** Two texts, of which one is gated from its third token on. */
    @ParameterizedTest
    @MethodSource("headscope.model.Fixtures#causal")
    void gateGradientsMatchCentralDifferences(Path fixture) {
        float step = 1 / 64f;
        try (LoadedModel loaded = LoadedModel.open(Devices.reference(), fixture)) {
            Transformer model = loaded.model();
            // A fixed seed: a mixture must choose the same experts for all these losses.
            Random random = new Random(4);
            List<int[]> texts = List.of(random.ints(6, 1, 96).toArray(), random.ints(4, 1, 96).toArray());
            float[] factors = factors(random, model.config().layers() * model.config().heads());
            Result exact = gated(model, texts, factors);
            for (int i = 0; i < factors.length; i++) {
                double near = loss(model, texts, factors, i, step) - loss(model, texts, factors, i, -step);
                double far = loss(model, texts, factors, i, 2 * step) - loss(model, texts, factors, i, -2 * step);
                assertEquals((8 * near - far) / (12 * step), exact.gates()[0][i],
                        Tolerance.centralDifference(step, exact.losses()[0]), "gate " + i);
            }
        }
    }

    /** The first text has gates from its third token on, the second has open ones. */
    private static Result gated(Transformer model, List<int[]> texts, float[] factors) {
        float[] open = new float[factors.length];
        Arrays.fill(open, 1);
        try (HeadGates gates = new HeadGates(
                model, List.of(new HeadGates.OfText(2, factors), new HeadGates.OfText(0, open)))) {
            return run(model, texts, Optional.of(gates));
        }
    }

    private static double loss(Transformer model, List<int[]> texts, float[] factors, int nudged, float by) {
        float[] other = factors.clone();
        other[nudged] += by;
        return gated(model, texts, other).losses()[0];
    }

    @Test
    void rejectsBackwardPassesOfBidirectionalModels() {
        try (LoadedModel loaded = LoadedModel.open("bert")) {
            Transformer model = loaded.model();
            int[] ids = text("bidirectional", 5);
            try (Tape tape = model.forward(new Batch(List.of(ids)), Optional.empty(), LayerHook.NONE)) {
                Tensor logits = model.logits(tape, new int[] {4});
                String message = assertThrows(IllegalArgumentException.class,
                        () -> model.backward(tape, new int[] {4}, logits, GradientHook.NONE)).getMessage();
                assertEquals("the backward pass requires a causal model; bert is bidirectional", message);
            }
        }
    }

    @Test
    void rejectsBatchesAndGatesThatDoNotFit() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            Transformer model = loaded.model();
            Batch two = new Batch(List.of(text("one", 3), text("two", 3)));
            try (HeadGates gates = gates(model, 0, new float[12])) {
                assertThrows(IllegalArgumentException.class,
                        () -> model.forward(two, Optional.of(gates), LayerHook.NONE));
                assertThrows(IllegalArgumentException.class,
                        () -> model.read(two, Optional.of(gates), LayerHook.NONE));
            }
            assertThrows(IllegalArgumentException.class, () -> gates(model, 0, new float[3]));
            assertThrows(IllegalArgumentException.class, () -> gates(model, -1, new float[12]));
            assertThrows(IllegalArgumentException.class, () -> new Batch(List.of()));
            assertThrows(IllegalArgumentException.class, () -> new Batch(List.of(new int[0])));
            Batch tooLong = new Batch(List.of(text("long", model.config().maxTokens() + 1)));
            assertThrows(IllegalArgumentException.class,
                    () -> model.forward(tooLong, Optional.empty(), LayerHook.NONE));
            assertThrows(IllegalArgumentException.class, () -> model.observe(tooLong, LayerHook.NONE));
        }
    }
}
