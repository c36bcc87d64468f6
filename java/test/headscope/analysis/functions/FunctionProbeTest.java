package headscope.analysis.functions;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.Progress;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.Gradients;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The probe against plain loops in double precision, central differences of these, and probes of known importance.
 */
class FunctionProbeTest {
    private static final int TEXTS = 5;
    private static final int LAYERS = 2;
    private static final int HEADS = 3;
    private static final int HEAD_DIM = 4;
    private static final FunctionProbe.Sizes SIZES =
            new FunctionProbe.Sizes(LAYERS * HEADS, 2 * HEAD_DIM, 7, 33, 4);
    private static final int[] ALL = IntStream.range(0, TEXTS).toArray();

    /** Error bound for sums of this many terms of magnitude 1. */
    private static final double CLOSE = Tolerance.sum(SIZES.projections() + SIZES.hidden() + SIZES.width(), 1);

    private final HeadFeatures features = features(3);
    private Backend backend = Backend.open("cpu");

    private void use(String device) {
        backend.close();
        backend = Devices.open(device);
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private static HeadFeatures features(long seed) {
        Random random = new Random(seed);
        List<float[]> outputs = new ArrayList<>();
        for (int text = 0; text < TEXTS; text++) {
            float[] values = new float[LAYERS * HEADS * HEAD_DIM];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            outputs.add(values);
        }
        return new HeadFeatures(outputs, LAYERS, HEADS, HEAD_DIM);
    }

    private static RandomGenerator random(long seed) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    private FunctionProbe probe(int batch) {
        return new FunctionProbe(backend, SIZES, batch, random(1));
    }

    /** The features of a text. */
    private double[] x(int text) {
        float[] values = features.of(new int[] {text});
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static double[] ones(int count) {
        double[] ones = new double[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** Computed from the formula. */
    private double[] logits(PlainProbe plain, int text) {
        return plain.logits(plain.projections(x(text)), ones(SIZES.hidden()));
    }

    @Test
    void featuresAreHeadOutputAndLayerMean() {
        HeadFeatures two = new HeadFeatures(
                List.of(new float[0], new float[] {1, 2, 3, 4, 10, 20, 30, 60}), 2, 2, 2);
        assertArrayEquals(
                new float[] {1, 2, 2, 3, 3, 4, 2, 3, 10, 20, 20, 40, 30, 60, 20, 40}, two.of(new int[] {1}));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", Devices.EMULATED})
    void logitsAgreeWithTheFormula(String device) {
        use(device);
        try (FunctionProbe probe = probe(2)) {
            PlainProbe plain = PlainProbe.of(backend, probe, SIZES);
            float[] logits = probe.logits(features, ALL);
            for (int text = 0; text < TEXTS; text++) {
                double[] expected = logits(plain, text);
                for (int function = 0; function < SIZES.functions(); function++) {
                    assertEquals(expected[function], logits[text * SIZES.functions() + function], CLOSE);
                }
            }
        }
    }

    /**
     * With epsilon 1 and rate 1, the first step of AdamW subtracts g / (|g| + 1) from a parameter with gradient g.
     * Dropout is active.
     */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", Devices.EMULATED})
    void trainingStepFollowsTheGradient(String device) {
        use(device);
        int[] functions = {3, 0, 1, 1, 2};
        Random random = new Random(4);
        float[] keep = new float[TEXTS * SIZES.hidden()];
        for (int i = 0; i < keep.length; i++) {
            keep[i] = random.nextInt(3) == 0 ? 0 : 1.5f;
        }
        try (FunctionProbe probe = probe(TEXTS)) {
            PlainProbe before = PlainProbe.of(backend, probe, SIZES);
            float[] losses =
                    probe.train(features, ALL, functions, keep, new Gradients.AdamW(1, 0.9f, 0.999f, 1, 0));
            PlainProbe after = PlainProbe.of(backend, probe, SIZES);
            for (int text = 0; text < TEXTS; text++) {
                assertEquals(loss(before, functions, keep, text), losses[text], CLOSE);
            }
            for (int p = 0; p < before.parameters.length; p++) {
                for (int i = 0; i < before.parameters[p].length; i++) {
                    double step = before.parameters[p][i] - after.parameters[p][i];
                    double gradient = gradient(before, functions, keep, p, i);
                    assertEquals(
                            gradient / (Math.abs(gradient) + 1), step, CLOSE, "parameter " + p + ", element " + i);
                }
            }
        }
    }

    private double loss(PlainProbe plain, int[] functions, float[] keep, int text) {
        double[] factors = IntStream.range(0, SIZES.hidden())
                .mapToDouble(i -> keep[text * SIZES.hidden() + i])
                .toArray();
        return PlainProbe.loss(plain.logits(plain.projections(x(text)), factors), functions[text]);
    }

    /** The derivative of the mean loss by central differences, with an error of O(step^2). */
    private double gradient(PlainProbe plain, int[] functions, float[] keep, int parameter, int element) {
        double step = 1e-5;
        double kept = plain.parameters[parameter][element];
        double difference = 0;
        for (int side = -1; side <= 1; side += 2) {
            plain.parameters[parameter][element] = kept + side * step;
            for (int text : ALL) {
                difference += side * loss(plain, functions, keep, text) / TEXTS;
            }
        }
        plain.parameters[parameter][element] = kept;
        return difference / (2 * step);
    }

    /** p . dy / dp is the derivative of y with respect to a factor on a head's p. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", Devices.EMULATED})
    void importanceIsADerivativeOfTheLogit(String device) {
        use(device);
        int function = 2;
        double step = 1e-6;
        try (FunctionProbe probe = probe(2)) {
            PlainProbe plain = PlainProbe.of(backend, probe, SIZES);
            double[] importance = HeadImportance.of(probe, features, SIZES.projection(), ALL, function).values();
            for (int head = 0; head < SIZES.heads(); head++) {
                double expected = 0;
                for (int text : ALL) {
                    expected += (scaled(plain, text, head, 1 + step)[function]
                            - scaled(plain, text, head, 1 - step)[function]) / (2 * step);
                }
                assertEquals(expected / (SIZES.projection() * TEXTS), importance[head], CLOSE, "head " + head);
            }
        }
    }

    private double[] scaled(PlainProbe plain, int text, int head, double factor) {
        double[] projections = plain.projections(x(text));
        for (int i = head * SIZES.projection(); i < (head + 1) * SIZES.projection(); i++) {
            projections[i] *= factor;
        }
        return plain.logits(projections, ones(SIZES.hidden()));
    }

    /**
     * With every hidden unit active the probe is linear: y = c + sum over heads of M I, where c is the logit of zero
     * projections.
     */
    @Test
    void importancesOfALinearProbeAddUpToTheLogit() {
        float[] bias = new float[SIZES.hidden()];
        Arrays.fill(bias, 50);
        try (FunctionProbe probe = probe(TEXTS)) {
            backend.upload(probe.hide().bias(), MemorySegment.ofArray(bias));
            PlainProbe plain = PlainProbe.of(backend, probe, SIZES);
            for (int function = 0; function < SIZES.functions(); function++) {
                double constant = plain.logits(new double[SIZES.projections()], ones(SIZES.hidden()))[function];
                for (int text : ALL) {
                    HeadImportance importance = HeadImportance.of(
                            probe, features, SIZES.projection(), new int[] {text}, function);
                    double shared = SIZES.projection() * Arrays.stream(importance.values()).sum();
                    assertEquals(logits(plain, text)[function], constant + shared, SIZES.projection() * CLOSE);
                }
            }
        }
    }

    @Test
    void aHeadWithZeroWeightsHasNoImportance() {
        float[] weight = new float[SIZES.hidden() * SIZES.projections()];
        Random random = new Random(5);
        int unused = 4;
        for (int i = 0; i < weight.length; i++) {
            boolean used = i % SIZES.projections() / SIZES.projection() != unused;
            weight[i] = used ? (float) random.nextGaussian() : 0;
        }
        try (FunctionProbe probe = probe(TEXTS)) {
            backend.upload(probe.hide().weight(), MemorySegment.ofArray(weight));
            HeadImportance importance = HeadImportance.of(probe, features, SIZES.projection(), ALL, 0);
            assertEquals(0, importance.values()[unused]);
            assertEquals(unused, importance.ranked()[SIZES.heads() - 1]);
            assertEquals(SIZES.heads() - 1, importance.above(0));
        }
    }

    @Test
    void importanceDoesNotDependOnTheBatchSize() {
        try (FunctionProbe one = probe(1); FunctionProbe all = probe(TEXTS)) {
            double[] singly = one.contribution(features, ALL, 1);
            double[] together = all.contribution(features, ALL, 1);
            for (int head = 0; head < SIZES.heads(); head++) {
                assertEquals(singly[head], together[head], TEXTS * SIZES.projection() * CLOSE);
            }
        }
    }

    private float[] trainedLogits(long seed, FunctionsRequest.Order order, int epochs) {
        FunctionsRequest.Training training =
                new FunctionsRequest.Training(SIZES.projection(), SIZES.hidden(), 0.3, epochs, 2, 0.01, 0.01, order);
        RandomGenerator random = random(seed);
        try (FunctionProbe probe = new FunctionProbe(backend, SIZES, 2, random)) {
            new ProbeTraining(probe, features, training)
                    .train(ALL, new int[] {0, 1, 2, 3, 0}, random, Progress.SILENT);
            return probe.logits(features, ALL);
        }
    }

    @Test
    void fitsAllTrainingTexts() {
        Confusion confusion = Confusion.of(
                new int[] {0, 1, 2, 3, 0}, trainedLogits(1, FunctionsRequest.Order.SHUFFLED, 60), SIZES.functions());
        assertEquals(1, confusion.accuracy());
    }

    @Test
    void equalSeedsGiveEqualProbes() {
        float[] first = trainedLogits(1, FunctionsRequest.Order.SHUFFLED, 3);
        assertArrayEquals(first, trainedLogits(1, FunctionsRequest.Order.SHUFFLED, 3));
        assertFalse(Arrays.equals(first, trainedLogits(2, FunctionsRequest.Order.SHUFFLED, 3)));
        assertFalse(Arrays.equals(first, trainedLogits(1, FunctionsRequest.Order.FILE, 3)));
    }

    @Test
    void closeFreesAllBuffers() {
        long before = backend.liveBytes();
        try (FunctionProbe probe = probe(3)) {
            assertTrue(backend.liveBytes() > before);
            probe.logits(features, ALL);
        }
        assertEquals(before, backend.liveBytes());
    }
}
