package headscope.analysis.gates;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import headscope.Seed;
import headscope.Tolerance;
import headscope.analysis.PromptAnswer;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.model.Checkpoint;
import headscope.model.Transformer;
import headscope.tensor.Safetensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Gates on tiny models: what PyTorch's Adam makes of them, slopes, and what does not depend on who shares a pass. */
class GatedModelTest {
    private static final int MOST = 4096;
    private static final double UNCLIPPED = Double.POSITIVE_INFINITY;

    private static Path fixture(String name) {
        return Path.of("java/test/headscope/fixtures", name);
    }

    private static void with(String device, String name, BiConsumer<Transformer, Safetensors> use) {
        try (Backend backend = Devices.open(device)) {
            try (Checkpoint checkpoint = Checkpoint.open(fixture(name));
                    Safetensors expected = Safetensors.open(fixture(name).resolve("expected.safetensors"));
                    Transformer model = new Transformer(checkpoint, backend)) {
                use.accept(model, expected);
            }
            assertEquals(0, backend.liveBytes());
        }
    }

    static Stream<Arguments> fixturesOnDevices() {
        return Devices.ALL.stream()
                .flatMap(device -> Stream.of("gpt2", "llama").map(name -> Arguments.of(device, name)));
    }

    /** Twelve steps on the same six prompts, pushed open; every gate and loss on the way. */
    @ParameterizedTest
    @MethodSource("fixturesOnDevices")
    void goesDownThePathOfPyTorch(String device, String name) {
        with(device, name, (model, expected) -> {
            GateFitting fitting = new GateFitting(null, new GatedModel(model, MOST));
            GateMask mask = new GateMask(expected.get("gates.logits_start").floats(),
                    new GateRegulariser(0.1, GatesRequest.Regulariser.MEAN), UNCLIPPED);
            float[] path = expected.get("gates.path").floats();
            float[] losses = expected.get("gates.nll").floats();
            List<GatedText> batch = fixtureBatch(expected);
            for (int step = 0; step < losses.length; step++) {
                double[] loss = fitting.step(List.of(mask), batch, 0.1);
                assertEquals(losses[step], loss[0], Tolerance.GATES, "loss before step " + step);
                float[] gates = mask.gates();
                assertArrayEquals(Arrays.copyOfRange(path, step * gates.length, (step + 1) * gates.length), gates,
                        Tolerance.GATES, "gates after step " + step);
            }
        });
    }

    private static List<GatedText> fixtureBatch(Safetensors expected) {
        long[] prompts = expected.get("gates.prompts").longs();
        long[] targets = expected.get("gates.targets").longs();
        int width = prompts.length / targets.length;
        return IntStream.range(0, targets.length)
                .mapToObj(text -> {
                    int[] ids = new int[width + 1];
                    for (int i = 0; i < width; i++) {
                        ids[i] = Math.toIntExact(prompts[text * width + i]);
                    }
                    ids[width] = Math.toIntExact(targets[text]);
                    return new GatedText(new PromptAnswer(ids, width), 0, 1f / targets.length);
                })
                .toList();
    }

    /** Answers of one to four tokens behind prompts of one to twenty. */
    private static List<PromptAnswer> texts(int count) {
        Random random = Seed.random("texts");
        return IntStream.range(0, count)
                .mapToObj(i -> new PromptAnswer(random.ints(2 + i % 4 + random.nextInt(20), 0, 96).toArray(), 0))
                .map(text -> new PromptAnswer(text.ids(), Math.max(1, text.ids().length - 1 - text.ids().length % 4)))
                .toList();
    }

    private static float[][] masks(int count, int heads) {
        Random random = Seed.random("masks");
        float[][] masks = new float[count][heads];
        for (float[] mask : masks) {
            for (int head = 0; head < heads; head++) {
                mask[head] = 0.5f + 0.5f * random.nextFloat();
            }
        }
        return masks;
    }

    @Test
    void gradientIsTheSlopeOfTheLoss() {
        with("cpu", "llama", (transformer, expected) -> {
            GatedModel model = new GatedModel(transformer, MOST);
            float[][] masks = masks(1, model.heads());
            List<GatedText> texts = texts(5).stream().map(text -> new GatedText(text, 0, 0.2f)).toList();
            double[][] gradient = new double[1][model.heads()];
            double loss = 0.2 * Arrays.stream(model.nll(texts, masks, gradient)).sum();
            float step = 1 / 64f;
            for (int head = 0; head < model.heads(); head++) {
                double near = loss(model, texts, masks, head, step) - loss(model, texts, masks, head, -step);
                double far = loss(model, texts, masks, head, 2 * step) - loss(model, texts, masks, head, -2 * step);
                assertEquals((8 * near - far) / (12 * step), gradient[0][head],
                        Tolerance.centralDifference(step, loss), "head " + head);
            }
        });
    }

    private static double loss(GatedModel model, List<GatedText> texts, float[][] masks, int head, float by) {
        float[] nudged = masks[0].clone();
        nudged[head] += by;
        return 0.2 * Arrays.stream(model.nll(texts, new float[][] {nudged})).sum();
    }

    /** Whatever share a pass: three masks' texts at once, a few at a time, or each alone. */
    @Test
    void passesDoNotMatter() {
        with("cpu", "gpt2", (transformer, expected) -> {
            float[][] masks = masks(3, new GatedModel(transformer, MOST).heads());
            List<GatedText> texts = new ArrayList<>();
            for (PromptAnswer text : texts(7)) {
                for (int mask = 0; mask < masks.length; mask++) {
                    texts.add(new GatedText(text, mask, 1f / 7));
                }
            }
            double[][] whole = new double[masks.length][masks[0].length];
            double[] together = new GatedModel(transformer, MOST).nll(texts, masks, whole);
            for (int most : new int[] {1, 40}) {
                double[][] gradients = new double[masks.length][masks[0].length];
                double[] apart = new GatedModel(transformer, most).nll(texts, masks, gradients);
                for (int i = 0; i < apart.length; i++) {
                    assertEquals(together[i], apart[i], Tolerance.fp32(new float[] {(float) apart[i]}), "text " + i);
                }
                for (int mask = 0; mask < masks.length; mask++) {
                    assertArrayEquals(whole[mask], gradients[mask], Tolerance.gradient(floats(whole[mask])));
                }
            }
        });
    }

    /** A device that has no room for all texts at once takes fewer, to the same numbers. */
    @Test
    void takesFewerTextsWhereMemoryIsShort() {
        double[][] plenty = new double[1][];
        long most = gradients(Long.MAX_VALUE, plenty);
        double[][] little = new double[1][];
        gradients(most * 3 / 4, little);
        assertArrayEquals(plenty[0], little[0]);
    }

    /** The gradient on an emulated device of so many bytes; returns the most that was in use. */
    private static long gradients(long memory, double[][] gradient) {
        try (Backend backend = Devices.emulated(memory)) {
            try (Checkpoint checkpoint = Checkpoint.open(fixture("llama"));
                    Transformer transformer = new Transformer(checkpoint, backend)) {
                GatedModel model = new GatedModel(transformer, MOST);
                List<GatedText> texts = texts(16).stream().map(text -> new GatedText(text, 0, 1 / 16f)).toList();
                gradient[0] = new double[model.heads()];
                model.nll(texts, masks(1, model.heads()), gradient);
            }
            assertEquals(0, backend.liveBytes());
            return backend.peakBytes();
        }
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** Where the answer to be forgotten is far enough below the other one, only that one is left in the loss. */
    @Test
    void forgetsNoFurtherThanAsked() {
        with("cpu", "gpt2", (transformer, expected) -> {
            GatedModel model = new GatedModel(transformer, 1);
            float[][] masks = masks(1, model.heads());
            List<PromptAnswer> both = texts(2);
            GatedText kept = new GatedText(both.get(0), 0, 1);
            double[] far = model.nll(List.of(kept, new GatedText(both.get(1), 0, -1)), masks);
            double apart = far[1] - far[0];
            double[] stopped = gradient(model, masks, kept, new GatedText(both.get(1), 0, -1, apart - 0.01));
            double[] pushed = gradient(model, masks, kept, new GatedText(both.get(1), 0, -1, apart + 0.01));
            double[] alone = gradient(model, masks, kept);
            double[] other = gradient(model, masks, new GatedText(both.get(1), 0, 1));
            double near = Tolerance.gradient(floats(alone)) + Tolerance.gradient(floats(other));
            for (int head = 0; head < alone.length; head++) {
                assertEquals(alone[head], stopped[head], near);
                assertEquals(alone[head] - other[head], pushed[head], near);
            }
            assertNotEquals(0, other[0]);
        });
    }

    private static double[] gradient(GatedModel model, float[][] masks, GatedText... texts) {
        double[][] gradient = new double[1][model.heads()];
        model.nll(List.of(texts), masks, gradient);
        return gradient[0];
    }

    /** A pair is never parted, even where it is too long for a pass. */
    @Test
    void passesAreCutBetweenPairs() {
        List<GatedText> texts = new ArrayList<>();
        for (PromptAnswer text : texts(6)) {
            texts.add(new GatedText(text, 0, 1));
            texts.add(new GatedText(text, 0, -1, 5));
        }
        for (int most : new int[] {1, 30, 60, MOST}) {
            List<GatedPass> passes = GatedPass.of(texts, most);
            assertEquals(texts, passes.stream().flatMap(pass -> pass.texts().stream()).toList());
            int first = 0;
            for (GatedPass pass : passes) {
                assertEquals(first, pass.first());
                assertEquals(0, pass.texts().size() % 2);
                first += pass.texts().size();
            }
        }
        assertEquals(1, GatedPass.of(texts, MOST).size());
        assertEquals(6, GatedPass.of(texts, 1).size());
    }
}
