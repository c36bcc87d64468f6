package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.Predictions;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.InstrumentedBackend;
import headscope.backend.TextRows;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Passes over several texts. */
class PackedPassTest {
    private static List<int[]> texts(int... lengths) {
        Random random = new Random(5);
        return Arrays.stream(lengths).mapToObj(length -> random.ints(length, 1, 96).toArray()).toList();
    }

    private record Observed(float[] logDiagonal, float[] entropy) {}

    /** What a batch gives is what a sequence of each text gives, in every layer. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gpt-neox", "llama", "mistral-window", "gemma3", "bert"})
    void observesEachTextLikeASequence(String fixture) {
        List<int[]> texts = texts(7, 1, 33, 20);
        for (String device : Devices.ALL) {
            try (LoadedModel loaded = LoadedModel.open(Devices.open(device), Fixtures.folder(fixture))) {
                Transformer model = loaded.model();
                int layers = model.config().layers();
                Batch batch = new Batch(texts);
                List<List<Observed>> together = new ArrayList<>();
                Tensor hidden = model.observe(batch, new LayerHook() {
                    @Override
                    public void attention(int layer, Attention attention) {
                        together.add(IntStream.range(0, texts.size())
                                .mapToObj(text -> observed(model, new TextRows(attention.packing(), text)
                                        .statistics(attention.statistics()), texts.get(text).length))
                                .toList());
                    }
                });
                float[] all = model.backend().download(hidden);
                int width = model.config().hidden();
                for (int text = 0; text < texts.size(); text++) {
                    int[] ids = texts.get(text);
                    try (Sequence sequence = model.sequence(ids.length)) {
                        float[] alone = model.backend().download(model.forward(sequence, ids, LayerHook.NONE));
                        close("output of text " + text, alone, Arrays.copyOfRange(
                                all, batch.first(text) * width, (batch.first(text) + ids.length) * width));
                        for (int layer = 0; layer < layers; layer++) {
                            Observed expected = observed(model, sequence.statistics(layer), ids.length);
                            Observed actual = together.get(layer).get(text);
                            String place = device + ", layer " + layer + ", text " + text;
                            close(place, expected.logDiagonal, actual.logDiagonal);
                            close(place, expected.entropy, actual.entropy);
                        }
                    }
                }
            }
        }
    }

    private static Observed observed(Transformer model, AttentionStatistics of, int tokens) {
        return new Observed(rows(model, of.logDiagonal, tokens), rows(model, of.entropy, tokens));
    }

    /** The first rows of each head; there is room for more. */
    private static float[] rows(Transformer model, Tensor vector, int tokens) {
        float[] all = model.backend().download(vector);
        int capacity = vector.intSize(1);
        float[] rows = new float[vector.intSize(0) * tokens];
        for (int head = 0; head < vector.intSize(0); head++) {
            System.arraycopy(all, head * capacity, rows, head * tokens, tokens);
        }
        return rows;
    }

    private static void close(String message, float[] expected, float[] actual) {
        assertArrayEquals(expected, actual, Tolerance.fp32(expected), message);
    }

    /** Reading with gates gives the output of the pass that keeps a tape, to the bit. */
    @Test
    void readsLikeThePassWithATape() {
        try (LoadedModel loaded = LoadedModel.open("llama")) {
            Transformer model = loaded.model();
            List<int[]> texts = texts(9, 4, 17);
            try (HeadGates gates = gates(model, texts.size());
                    Tape tape = model.forward(new Batch(texts), Optional.of(gates), LayerHook.NONE)) {
                assertArrayEquals(model.backend().download(tape.hidden()), model.backend().download(
                        model.read(new Batch(texts), Optional.of(gates), LayerHook.NONE)));
            }
        }
    }

    static HeadGates gates(Transformer model, int texts) {
        float[] factors = new float[model.config().layers() * model.config().heads()];
        Random random = new Random(6);
        for (int i = 0; i < factors.length; i++) {
            factors[i] = random.nextFloat();
        }
        return new HeadGates(model, IntStream.range(0, texts)
                .mapToObj(text -> new HeadGates.OfText(text, factors)).toList());
    }

    /** Learned positions, and rotations: a pass over eight texts calls the same operations as one over two. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gpt-neox", "qwen3"})
    void callsDoNotDependOnTheNumberOfTexts(String fixture) {
        List<String> two = calls(fixture, texts(20, 20));
        assertTrue(two.contains("gradients.attention"), two.toString());
        assertEquals(two, calls(fixture, texts(5, 5, 5, 5, 5, 5, 5, 5)));
    }

    private static List<String> calls(String fixture, List<int[]> texts) {
        List<String> called = Collections.synchronizedList(new ArrayList<>());
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.folder(fixture));
                Backend backend = Backend.open("cpu");
                Transformer model = new Transformer(checkpoint, InstrumentedBackend.recording(backend, called))) {
            Batch batch = new Batch(texts);
            int[] rows = IntStream.range(0, texts.size()).map(batch::first).toArray();
            Consumer<HeadGates> passes = gates -> {
                model.observe(batch, LayerHook.NONE);
                model.read(batch, Optional.of(gates), LayerHook.NONE);
                try (Tape tape = model.forward(batch, Optional.of(gates), LayerHook.NONE)) {
                    Tensor logits = model.logits(tape, rows);
                    model.backend().gradients().crossEntropy(logits, new int[rows.length], new float[rows.length]);
                    model.backward(tape, rows, logits, GradientHook.NONE);
                }
            };
            try (HeadGates gates = gates(model, texts.size())) {
                passes.accept(gates); // allocates the workspace
                called.clear();
                passes.accept(gates);
            }
        }
        return List.copyOf(called);
    }

    /** Output of the last layer that several calls of {@link Predictions} use. */
    @Test
    void predictsARowAtATimeOrAllAtOnce() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            Transformer model = loaded.model();
            Batch batch = new Batch(texts(9, 4));
            int[] rows = {8, 0, 12};
            Predictions predictions = new Predictions(model, model.read(batch, Optional.empty(), LayerHook.NONE));
            float[] logits = model.backend().download(model.logits(predictions.hidden(), rows));
            int words = logits.length / rows.length;
            int[] argmax = predictions.argmax(rows);
            float[] nll = predictions.nll(rows, argmax);
            for (int row = 0; row < rows.length; row++) {
                float[] ofRow = Arrays.copyOfRange(logits, row * words, (row + 1) * words);
                double total = 0;
                for (float logit : ofRow) {
                    total += Math.exp(logit);
                    assertTrue(logit <= ofRow[argmax[row]]);
                }
                assertEquals(Math.log(total) - ofRow[argmax[row]], nll[row], Tolerance.softmax(0, words, 1), "row " + row);
            }
        }
    }
}
