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

/** Gates on tiny models: agreement with PyTorch and with central differences, and the division into passes. */
class GatedModelTest {
    private static final int MAX_TOKENS = 4096;
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

    /** Twelve updates on the same six prompts, with a regulariser that opens gates; compares every gate and loss. */
    @ParameterizedTest
    @MethodSource("fixturesOnDevices")
    void fitAgreesWithPyTorch(String device, String name) {
        with(device, name, (model, expected) -> {
            GateFitting fitting = new GateFitting(null, new GatedModel(model, MAX_TOKENS));
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

    /** Answers of one to four tokens after prompts of one or more. */
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
    void gradientMatchesCentralDifferences() {
        with("cpu", "llama", (transformer, expected) -> {
            GatedModel model = new GatedModel(transformer, MAX_TOKENS);
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

    /** The texts of three masks in one pass, a few per pass, or one per pass. */
    @Test
    void resultsDoNotDependOnTheDivisionIntoPasses() {
        with("cpu", "gpt2", (transformer, expected) -> {
            float[][] masks = masks(3, new GatedModel(transformer, MAX_TOKENS).heads());
            List<GatedText> texts = new ArrayList<>();
            for (PromptAnswer text : texts(7)) {
                for (int mask = 0; mask < masks.length; mask++) {
                    texts.add(new GatedText(text, mask, 1f / 7));
                }
            }
            double[][] gradientsInOnePass = new double[masks.length][masks[0].length];
            double[] inOnePass = new GatedModel(transformer, MAX_TOKENS).nll(texts, masks, gradientsInOnePass);
            for (int maxTokens : new int[] {1, 40}) {
                double[][] gradients = new double[masks.length][masks[0].length];
                double[] inSeveral = new GatedModel(transformer, maxTokens).nll(texts, masks, gradients);
                for (int i = 0; i < inSeveral.length; i++) {
                    assertEquals(inOnePass[i], inSeveral[i], Tolerance.fp32(new float[] {(float) inSeveral[i]}), "text " + i);
                }
                for (int mask = 0; mask < masks.length; mask++) {
                    assertArrayEquals(gradientsInOnePass[mask], gradients[mask], Tolerance.gradient(floats(gradientsInOnePass[mask])));
                }
            }
        });
    }

    /** A device without memory for all texts at once processes fewer at a time, with equal results. */
    @Test
    void splitsPassesIfMemoryIsShort() {
        double[][] unlimited = new double[1][];
        long peak = gradients(Long.MAX_VALUE, unlimited);
        double[][] limited = new double[1][];
        gradients(peak * 3 / 4, limited);
        assertArrayEquals(unlimited[0], limited[0]);
    }

    /** Computes the gradient on an emulated device with limited memory; returns the peak of the bytes in use. */
    private static long gradients(long memory, double[][] gradient) {
        try (Backend backend = Devices.emulated(memory)) {
            try (Checkpoint checkpoint = Checkpoint.open(fixture("llama"));
                    Transformer transformer = new Transformer(checkpoint, backend)) {
                GatedModel model = new GatedModel(transformer, MAX_TOKENS);
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

    /** If the log probability of the answer to forget is lower by the margin, only the other answer is in the loss. */
    @Test
    void marginLimitsForgetting() {
        with("cpu", "gpt2", (transformer, expected) -> {
            GatedModel model = new GatedModel(transformer, 1);
            float[][] masks = masks(1, model.heads());
            List<PromptAnswer> both = texts(2);
            GatedText retained = new GatedText(both.get(0), 0, 1);
            double[] nll = model.nll(List.of(retained, new GatedText(both.get(1), 0, -1)), masks);
            double margin = nll[1] - nll[0];
            double[] stopped = gradient(model, masks, retained, new GatedText(both.get(1), 0, -1, margin - 0.01));
            double[] pushed = gradient(model, masks, retained, new GatedText(both.get(1), 0, -1, margin + 0.01));
            double[] alone = gradient(model, masks, retained);
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

    /** A pair stays in one pass, even if it has too many tokens. */
    @Test
    void passesKeepPairsTogether() {
        List<GatedText> texts = new ArrayList<>();
        for (PromptAnswer text : texts(6)) {
            texts.add(new GatedText(text, 0, 1));
            texts.add(new GatedText(text, 0, -1, 5));
        }
        for (int maxTokens : new int[] {1, 30, 60, MAX_TOKENS}) {
            List<GatedPass> passes = GatedPass.of(texts, maxTokens);
            assertEquals(texts, passes.stream().flatMap(pass -> pass.texts().stream()).toList());
            int first = 0;
            for (GatedPass pass : passes) {
                assertEquals(first, pass.first());
                assertEquals(0, pass.texts().size() % 2);
                first += pass.texts().size();
            }
        }
        assertEquals(1, GatedPass.of(texts, MAX_TOKENS).size());
        assertEquals(6, GatedPass.of(texts, 1).size());
    }
}
