package headscope.analysis.statistics;

import java.util.Arrays;
import org.apache.commons.statistics.inference.AlternativeHypothesis;
import org.apache.commons.statistics.inference.ContinuityCorrection;
import org.apache.commons.statistics.inference.MannWhitneyUTest;
import org.apache.commons.statistics.inference.PValueMethod;

/**
 * Two-sided Mann-Whitney U test of two independent samples, with the choices of
 * {@code scipy.stats.mannwhitneyu}: the exact null distribution when the smaller sample has at most 8 values
 * and no two values are equal, otherwise the normal approximation with tie and continuity correction.
 *
 * @param u     number of pairs (x, y) with x &gt; y; an equal pair counts one half
 * @param p     two-sided p-value, in [0, 1]; 1 if all values are equal
 * @param auroc u over the number of pairs: the area under the ROC curve of "large means x"
 */
public record MannWhitney(double u, double p, double auroc) {
    private static final int EXACT_LIMIT = 8;

    private static final MannWhitneyUTest APPROXIMATE = MannWhitneyUTest.withDefaults()
            .with(AlternativeHypothesis.TWO_SIDED)
            .with(PValueMethod.ASYMPTOTIC)
            .with(ContinuityCorrection.ENABLED);

    /** Only order matters, so infinities are allowed; NaN and empty samples are rejected. */
    public static MannWhitney test(double[] x, double[] y) {
        double[] xs = checked("x", x);
        double[] ys = checked("y", y);
        MannWhitneyUTest.Result approximate = APPROXIMATE.test(xs, ys);
        double u = approximate.getStatistic();
        double p = approximate.getPValue();
        if (Double.isNaN(p)) {
            p = 1; // all values equal: the variance is 0
        } else if (Math.min(xs.length, ys.length) <= EXACT_LIMIT && !approximate.hasTiedValues()) {
            p = exact(u, xs.length, ys.length);
        }
        return new MannWhitney(u, p, u / ((double) xs.length * ys.length));
    }

    /** Area under the ROC curve: the share of pairs whose positive has the larger score; ties count half. */
    public static double auroc(double[] positives, double[] negatives) {
        double u = APPROXIMATE.statistic(checked("positives", positives), checked("negatives", negatives));
        return u / ((double) positives.length * negatives.length);
    }

    /** Rank-biserial correlation in [-1, 1]: 1 if every x is above every y, -1 if every x is below. */
    public double effect() {
        return 2 * auroc - 1;
    }

    /**
     * Twice the lower tail of U under the null hypothesis. The numbers of orderings with U = 0, 1, 2, ... are
     * the coefficients of the Gaussian binomial, the product over i = 1..few of (1 - q^(many + i)) / (1 -
     * q^i), truncated after the tail. One row of numbers is enough; the library's table of few x many x tail takes
     * gigabytes for 8 against some thousand values.
     */
    private static double exact(double u, int n, int m) {
        int few = Math.min(n, m);
        int many = Math.max(n, m);
        int tail = (int) Math.min(u, (double) n * m - u);
        double[] orderings = new double[tail + 1];
        orderings[0] = 1;
        double all = 1;
        for (int i = 1; i <= few; i++) {
            for (int k = tail; k >= many + i; k--) {
                orderings[k] -= orderings[k - many - i];
            }
            for (int k = i; k <= tail; k++) {
                orderings[k] += orderings[k - i];
            }
            all *= (double) (many + i) / i;
        }
        return Math.min(1, 2 * Arrays.stream(orderings).sum() / all);
    }

    private static double[] checked(String name, double[] values) {
        if (values.length == 0) {
            throw new IllegalArgumentException(name + ": no values");
        }
        double[] copy = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            if (Double.isNaN(values[i])) {
                throw new IllegalArgumentException(
                        "%s: value %d of %d is NaN".formatted(name, i, values.length));
            }
            copy[i] = values[i] + 0.0; // -0.0 becomes 0.0: equal numbers share a rank
        }
        return copy;
    }
}
