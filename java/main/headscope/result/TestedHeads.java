package headscope.result;

import java.util.Arrays;

/**
 * One metric of every head, tested between texts of label 1 and label 0. Every array is row-major [layers, heads].
 *
 * @param p      two-sided p-values
 * @param q      p-values corrected for the number of heads (Benjamini and Hochberg 1995)
 * @param effect rank-biserial correlation, positive where label 1 has the larger values
 * @param mean0  mean over texts of label 0
 * @param mean1  mean over texts of label 1
 */
public record TestedHeads(double[] p, double[] q, double[] effect, double[] mean0, double[] mean1) {
    static final double LEVEL = 0.05;

    /** Share of heads with p below 0.05. */
    public double shareSignificant() {
        return share(p);
    }

    /** Share of heads with q below 0.05. */
    public double shareDiscovered() {
        return share(q);
    }

    /** Whether a head's q is below 0.05. */
    public boolean isDiscovered(int head) {
        return q[head] < LEVEL;
    }

    private static double share(double[] values) {
        return Arrays.stream(values).filter(value -> value < LEVEL).count() / (double) values.length;
    }
}
