package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches, gates, and gradients by central differences. */
class BackwardTest {
    private static final int TARGET = 5;

    @TempDir
    private Path folder;

    private static void with(Backend backend, Path fixture, Consumer<Transformer> use) {
        try (backend) {
            try (Checkpoint checkpoint = Checkpoint.open(fixture);
                    Transformer model = new Transformer(checkpoint, backend)) {
                use.accept(model);
            }
            assertEquals(0, backend.liveBytes());
        }
    }

    private static void with(String fixture, Consumer<Transformer> use) {
        with(Backend.open("cpu"), Fixtures.folder(fixture), use);
    }

    /** Without token 0, padding: its embedding is zero, and norms pass back from zero a thousand times what they get. */
    private static int[] text(String name, int tokens) {
        return Seed.random(name).ints(tokens, 1, 96).toArray();
    }

    /** Losses at the last token of every text, and the gradients of their gates. */
    private record Result(float[] losses, float[][] gates, float[][] signed) {}

    private static Result run(Transformer model, List<int[]> texts, Optional<HeadGates> gates) {
        Batch batch = new Batch(texts);
        int heads = model.config().heads();
        float[][] gateGradients = new float[texts.size()][model.config().layers() * heads];
        float[][] signed = new float[texts.size()][];
        int[] rows = new int[texts.size()];
        int[] targets = new int[texts.size()];
        float[] factors = new float[texts.size()];
        for (int text = 0; text < rows.length; text++) {
            rows[text] = batch.first(text) + batch.count(text) - 1;
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
                            ? Optional.of(AttentionSaliency.Request.vectors(batch.count(text)))
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

    /** A text's numbers do not depend on its neighbours. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gpt-neox", "llama", "mistral-window", "gemma2", "gemma3", "olmo2", "gpt-oss"})
    void aBatchIsItsTexts(String fixture) {
        with(fixture, model -> {
            List<int[]> texts = List.of(text("first", 7), text("second", 1), text("third", 33), text("fourth", 20));
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
                // Both are sums over a head's rows of gradient . output.
                for (int head = 0; head < model.config().heads(); head++) {
                    double sum = 0;
                    for (int token = 0; token <= row; token++) {
                        sum += together.signed()[text][head * (row + 1) + token];
                    }
                    assertEquals(together.gates()[text][head], sum, Tolerance.gradient(together.gates()[text]),
                            "signed saliency of head " + head);
                }
            }
        });
    }

    /** A gate is a factor on a head's columns of the output projection. */
    @Test
    void gatesAreScaledHeads() {
        Random random = Seed.random("gates");
        float[] factors = new float[3 * 4];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = random.nextFloat();
        }
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
        List<float[]> logits = new ArrayList<>();
        with(Backend.open("cpu"), scaled, model -> logits.add(all(model, ids, Optional.empty())));
        with("gpt2", model -> {
            try (HeadGates gates = new HeadGates(model, 1)) {
                gates.set(0, 0, factors);
                logits.add(all(model, ids, Optional.of(gates)));
                gates.set(0, 9, factors);
                logits.add(all(model, ids, Optional.of(gates)));
                logits.add(all(model, ids, Optional.empty()));
            }
        });
        assertArrayEquals(logits.get(0), logits.get(1), Tolerance.fp32(logits.get(0)));
        int words = logits.get(0).length / ids.length;
        assertArrayEquals(Arrays.copyOf(logits.get(3), 9 * words), Arrays.copyOf(logits.get(2), 9 * words),
                "tokens before the gated ones");
        assertTrue(Math.abs(logits.get(3)[9 * words] - logits.get(2)[9 * words]) > Tolerance.fp32(logits.get(3)));
    }

    private static float[] all(Transformer model, int[] ids, Optional<HeadGates> gates) {
        int[] rows = new int[ids.length];
        Arrays.setAll(rows, row -> row);
        try (Tape tape = model.forward(new Batch(List.of(ids)), gates, LayerHook.NONE)) {
            return model.backend().download(model.logits(tape, rows));
        }
    }

    /** Two texts, of which one is gated from its third token on. */
    @ParameterizedTest
    @MethodSource("headscope.model.Fixtures#causal")
    void gradientsOfGatesAreDifferencesOfLosses(Path fixture) {
        float step = 1 / 64f;
        with(Devices.reference(), fixture, model -> {
            // Always the same: between the losses a mixture must not choose other experts.
            Random random = new Random(4);
            List<int[]> texts = List.of(random.ints(6, 1, 96).toArray(), random.ints(4, 1, 96).toArray());
            float[] factors = new float[model.config().layers() * model.config().heads()];
            for (int i = 0; i < factors.length; i++) {
                factors[i] = random.nextFloat();
            }
            try (HeadGates gates = new HeadGates(model, 2)) {
                gates.set(0, 2, factors);
                Result exact = run(model, texts, Optional.of(gates));
                for (int i = 0; i < factors.length; i++) {
                    double near = loss(model, texts, gates, factors, i, step) - loss(model, texts, gates, factors, i, -step);
                    double far = loss(model, texts, gates, factors, i, 2 * step)
                            - loss(model, texts, gates, factors, i, -2 * step);
                    assertEquals((8 * near - far) / (12 * step), exact.gates()[0][i],
                            Tolerance.centralDifference(step, exact.losses()[0]), "gate " + i);
                }
            }
        });
    }

    private static double loss(
            Transformer model, List<int[]> texts, HeadGates gates, float[] factors, int nudged, float by) {
        float[] other = factors.clone();
        other[nudged] += by;
        gates.set(0, 2, other);
        return run(model, texts, Optional.of(gates)).losses()[0];
    }

    @Test
    void refusesWhatCannotBe() {
        with("bert", model -> {
            int[] ids = text("bidirectional", 5);
            try (Tape tape = model.forward(new Batch(List.of(ids)), Optional.empty(), LayerHook.NONE)) {
                Tensor logits = model.logits(tape, new int[] {4});
                String message = assertThrows(IllegalArgumentException.class,
                        () -> model.backward(tape, new int[] {4}, logits, GradientHook.NONE)).getMessage();
                assertEquals("the backward pass is for causal models; bert is bidirectional", message);
            }
        });
        with("gpt2", model -> {
            Batch two = new Batch(List.of(text("one", 3), text("two", 3)));
            try (HeadGates gates = new HeadGates(model, 1)) {
                assertThrows(IllegalArgumentException.class,
                        () -> model.forward(two, Optional.of(gates), LayerHook.NONE));
                assertThrows(IllegalArgumentException.class, () -> gates.set(0, 0, new float[3]));
                assertThrows(IllegalArgumentException.class, () -> gates.set(0, -1, new float[12]));
            }
            assertThrows(IllegalArgumentException.class, () -> new Batch(List.of()));
            assertThrows(IllegalArgumentException.class, () -> new Batch(List.of(new int[0])));
            Batch tooLong = new Batch(List.of(text("long", model.config().maxTokens() + 1)));
            assertThrows(IllegalArgumentException.class,
                    () -> model.forward(tooLong, Optional.empty(), LayerHook.NONE));
        });
    }
}
