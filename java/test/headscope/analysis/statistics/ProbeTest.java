package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ProbeTest {
    /** Newton steps on the features themselves, fold by fold, without principal components. */
    @ParameterizedTest
    @CsvSource({"60, 7", "53, 40", "40, 90", "31, 31"})
    void agreesWithPlainNewtonSteps(int samples, int features) {
        boolean[] labels = labels(samples, 0.4, 5);
        float[][] values = noise(samples, features, 6);
        shift(values, labels, 0.5f);
        int[] foldOf = StratifiedFolds.assign(labels, 5, 9);
        List<Double> expected = new ArrayList<>();
        for (int fold = 0; fold < 5; fold++) {
            expected.add(reference(values, labels, foldOf, fold));
        }
        List<Double> found = measured(Probe.crossValidate(values, labels, 9, () -> {})).folds();
        for (int fold = 0; fold < 5; fold++) {
            assertEquals(expected.get(fold), found.get(fold), 1e-12);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 500})
    void separatesSeparableClasses(int features) {
        boolean[] labels = labels(100, 0.3, 1);
        float[][] values = noise(100, features, 2);
        shift(values, labels, 60);
        ProbeResult.Measured result = measured(Probe.crossValidate(values, labels, 3, () -> {}));
        assertEquals(1, result.auroc());
        assertEquals(0, result.deviation());
    }

    /** Fewer and more features than texts; selecting features on all texts would raise the second result. */
    @ParameterizedTest
    @ValueSource(ints = {20, 400})
    void randomLabelsGiveChanceLevel(int features) {
        double sum = 0;
        for (int seed = 0; seed < 12; seed++) {
            float[][] values = noise(100, features, 100 + seed);
            sum += measured(Probe.crossValidate(values, labels(100, 0.5, seed), seed, () -> {})).auroc();
        }
        assertEquals(0.5, sum / 12, 0.06); // four standard errors: sqrt(1 / 12 / 25 / 12) = 0.017
    }

    /**
     * One component, and one outlier along a feature that is independent of the labels. If the outlier is a training
     * text, the component is that feature. In the fold that tests the outlier, the component is the informative feature
     * and only the outlier may be misclassified. A component fitted on all texts would miss the informative feature in
     * every fold.
     */
    @Test
    void fitsComponentsOnTrainingTextsOnly() {
        boolean[] labels = labels(100, 0.5, 4);
        float[][] values = noise(100, 2, 5);
        for (int i = 0; i < 100; i++) {
            values[i][0] = (labels[i] ? 10 : -10) + values[i][0];
        }
        values[17][1] = 1e6f;
        int tested = StratifiedFolds.assign(labels, 5, 6)[17];
        List<Double> folds = measured(Probe.crossValidate(values, labels, 6, 1, () -> {})).folds();
        for (int fold = 0; fold < 5; fold++) {
            assertTrue(fold == tested ? folds.get(fold) > 0.9 : folds.get(fold) < 0.8, folds::toString);
        }
    }

    @Test
    void equalSeedsGiveEqualResults() {
        boolean[] labels = labels(80, 0.5, 7);
        float[][] values = noise(80, 130, 8);
        shift(values, labels, 0.4f);
        ProbeResult one = Probe.crossValidate(values, labels, 1, () -> {});
        assertEquals(one, Probe.crossValidate(values, labels, 1, () -> {}));
        assertNotEquals(one, Probe.crossValidate(values, labels, 2, () -> {}));
    }

    /** Randomised components. */
    @Test
    void numberOfThreadsDoesNotChangeResults() throws Exception {
        boolean[] labels = labels(1100, 0.5, 17);
        float[][] values = noise(1100, 1040, 18);
        shift(values, labels, 3);
        ProbeResult common = Probe.crossValidate(values, labels, 1, 10, () -> {});
        assertEquals(ProbeResult.Reduction.RANDOMISED, measured(common).reduction());
        assertTrue(measured(common).auroc() > 0.9, common::toString);
        try (ForkJoinPool one = new ForkJoinPool(1)) {
            assertEquals(common, one.submit(() -> Probe.crossValidate(values, labels, 1, 10, () -> {})).get());
        }
    }

    @Test
    void usesFewerFoldsForSmallClasses() {
        float[][] values = noise(30, 4, 9);
        boolean[] labels = new boolean[30];
        assertInstanceOf(ProbeResult.Absent.class, Probe.crossValidate(values, labels, 1, () -> {}));
        for (int positives = 1; positives <= 8; positives++) {
            labels[3 * positives] = true;
            ProbeResult result = Probe.crossValidate(values, labels, 1, () -> {});
            if (positives == 1) {
                assertEquals(
                        "a probe needs two texts of each class; there are 1 and 29",
                        assertInstanceOf(ProbeResult.Absent.class, result).reason());
            } else {
                assertEquals(Math.min(5, positives), measured(result).folds().size());
            }
        }
        assertInstanceOf(ProbeResult.Absent.class, Probe.crossValidate(new float[0][], new boolean[0], 1, () -> {}));
    }

    /** Few and many constant features: every pair is a tie. */
    @ParameterizedTest
    @ValueSource(ints = {1, 12, 100})
    void constantFeaturesGiveChanceLevel(int features) {
        float[][] values = new float[40][features];
        Arrays.stream(values).forEach(row -> Arrays.fill(row, -3.7f));
        ProbeResult.Measured result = measured(Probe.crossValidate(values, labels(40, 0.5, 10), 1, () -> {}));
        assertEquals(List.of(0.5, 0.5, 0.5, 0.5, 0.5), result.folds());
        assertInstanceOf(
                ProbeResult.Absent.class, Probe.crossValidate(new float[40][0], labels(40, 0.5, 10), 1, () -> {}));
    }

    /** Twenty texts, three copies of each: copies tie, as in the reference. */
    @Test
    void equalTextsTie() {
        float[][] different = noise(20, 70, 11);
        float[][] values = IntStream.range(0, 60).mapToObj(i -> different[i % 20]).toArray(float[][]::new);
        boolean[] labels = labels(60, 0.5, 12);
        int[] foldOf = StratifiedFolds.assign(labels, 5, 3);
        List<Double> folds = measured(Probe.crossValidate(values, labels, 3, () -> {})).folds();
        for (int fold = 0; fold < 5; fold++) {
            assertEquals(reference(values, labels, foldOf, fold), folds.get(fold), 1e-12);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {1e-18f, 1e15f})
    void acceptsFeaturesOfAnyScale(float scale) {
        boolean[] labels = labels(50, 0.5, 13);
        float[][] values = noise(50, 80, 14);
        for (float[] row : values) {
            IntStream.range(0, row.length).forEach(i -> row[i] *= scale);
        }
        double auroc = measured(Probe.crossValidate(values, labels, 1, () -> {})).auroc();
        assertTrue(auroc >= 0 && auroc <= 1, () -> "AUROC " + auroc);
    }

    @Test
    void namesAMissingFeature() {
        float[][] values = noise(20, 3, 15);
        values[11][2] = Float.NaN;
        ProbeResult result = Probe.crossValidate(values, labels(20, 0.5, 16), 1, () -> {});
        assertEquals(new ProbeResult.Absent("feature 2 of text 11 is NaN"), result);
    }

    @Test
    void rejectsTablesThatAreTooLarge() {
        float[][] values = new float[3000][];
        Arrays.fill(values, new float[1_000_000]);
        String reason = assertInstanceOf(
                        ProbeResult.Absent.class, Probe.crossValidate(values, labels(3000, 0.5, 17), 1, () -> {}))
                .reason();
        assertTrue(reason.startsWith("3000 texts x 1000000 features are too large"), reason);
    }

    @Test
    void rejectsInvalidTables() {
        boolean[] labels = new boolean[2];
        assertThrows(IllegalArgumentException.class, () -> Probe.crossValidate(new float[3][1], labels, 1, () -> {}));
        assertThrows(
                IllegalArgumentException.class,
                () -> Probe.crossValidate(new float[][] {{1}, {1, 2}}, labels, 1, () -> {}));
    }

    @Test
    void computesMeanAndDeviationOfFolds() {
        ProbeResult.Measured result = new ProbeResult.Measured(List.of(0.5, 0.7, 0.9), 3, ProbeResult.Reduction.NONE);
        assertEquals(0.7, result.auroc(), 1e-15);
        assertEquals(0.2, result.deviation(), 1e-15);
    }

    private static double reference(float[][] values, boolean[] labels, int[] foldOf, int fold) {
        int[] training = IntStream.range(0, labels.length).filter(i -> foldOf[i] != fold).toArray();
        boolean[] trained = new boolean[training.length];
        double[][] samples = new double[training.length][];
        for (int i = 0; i < training.length; i++) {
            trained[i] = labels[training[i]];
            samples[i] = doubles(values[training[i]]);
        }
        double[] solution = LogisticReference.fit(samples, trained);
        double pairs = 0;
        double above = 0;
        for (int i = 0; i < labels.length; i++) {
            for (int j = 0; j < labels.length; j++) {
                if (foldOf[i] == fold && foldOf[j] == fold && labels[i] && !labels[j]) {
                    double gap = LogisticReference.logOdds(solution, doubles(values[i]))
                            - LogisticReference.logOdds(solution, doubles(values[j]));
                    pairs++;
                    above += gap > 0 ? 1 : gap == 0 ? 0.5 : 0;
                }
            }
        }
        return above / pairs;
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static ProbeResult.Measured measured(ProbeResult result) {
        return assertInstanceOf(ProbeResult.Measured.class, result);
    }

    private static boolean[] labels(int samples, double share, long seed) {
        Random random = new Random(seed);
        boolean[] labels = new boolean[samples];
        for (int i = 0; i < samples; i++) {
            labels[i] = random.nextDouble() < share;
        }
        return labels;
    }

    private static float[][] noise(int samples, int features, long seed) {
        Random random = new Random(seed);
        float[][] values = new float[samples][features];
        for (float[] row : values) {
            for (int i = 0; i < features; i++) {
                row[i] = (float) random.nextGaussian();
            }
        }
        return values;
    }

    /** Shifts the positives along the first feature. */
    private static void shift(float[][] values, boolean[] labels, float by) {
        for (int i = 0; i < labels.length; i++) {
            values[i][0] += labels[i] ? by : 0;
        }
    }
}
