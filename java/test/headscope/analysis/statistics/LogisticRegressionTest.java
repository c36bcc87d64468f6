package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LogisticRegressionTest {
    @ParameterizedTest
    @CsvSource({"5, 5, 1", "40, 25, 3", "12, 70, 9", "20, 9, 33"})
    void agreesWithNewtonSteps(int positives, int negatives, int features) {
        double[][] samples = samples(positives + negatives, features, positives);
        double[] expected = LogisticReference.fit(samples, first(positives, samples.length));
        LogisticRegression found = fit(samples, positives);
        assertArrayEquals(Arrays.copyOf(expected, features), found.weights(), 1e-6);
        assertEquals(expected[features], found.intercept(), 1e-6);
    }

    /** If the intercept were penalised, moving all samples away from the origin would change the weights. */
    @Test
    void interceptIsNotPenalised() {
        double[][] samples = samples(60, 4, 20);
        double[][] moved = new double[60][];
        for (int i = 0; i < 60; i++) {
            moved[i] = Arrays.stream(samples[i]).map(v -> v + 50).toArray();
        }
        assertArrayEquals(fit(samples, 20).weights(), fit(moved, 20).weights(), 1e-5);
    }

    /** Both classes have the same weight in the loss, whatever their sizes. */
    @Test
    void oddsAreEvenWithoutFeatures() {
        LogisticRegression found = LogisticRegression.fit(new DMatrixRMaj(30, 0), new DMatrixRMaj(7, 0));
        assertEquals(0, found.intercept(), 1e-9);
        assertArrayEquals(new double[] {0, 0}, found.logOdds(new DMatrixRMaj(2, 0)), 1e-9);
    }

    @Test
    void positivesHaveLargerOdds() {
        DMatrixRMaj positives = new DMatrixRMaj(new double[][] {{2}, {3}});
        DMatrixRMaj negatives = new DMatrixRMaj(new double[][] {{-2}, {-1}, {0}});
        DMatrixRMaj others = new DMatrixRMaj(new double[][] {{5}, {-5}});
        double[] odds = LogisticRegression.fit(positives, negatives).logOdds(others);
        assertEquals(1, Math.signum(odds[0]));
        assertEquals(-1, Math.signum(odds[1]));
    }

    private static LogisticRegression fit(double[][] samples, int positives) {
        return LogisticRegression.fit(
                new DMatrixRMaj(Arrays.copyOf(samples, positives)),
                new DMatrixRMaj(Arrays.copyOfRange(samples, positives, samples.length)));
    }

    private static boolean[] first(int positives, int samples) {
        boolean[] labels = new boolean[samples];
        Arrays.fill(labels, 0, positives, true);
        return labels;
    }

    /** The positives come first and are shifted along the first feature. */
    private static double[][] samples(int count, int features, int positives) {
        Random random = new Random(count * 31L + features);
        double[][] samples = new double[count][features];
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < features; j++) {
                samples[i][j] = random.nextGaussian() / (1 + j) + (i < positives && j == 0 ? 0.7 : 0);
            }
        }
        return samples;
    }
}
