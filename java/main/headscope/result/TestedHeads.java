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
 * @param auroc  area under the ROC curve of "large values mean label 1": (effect + 1) / 2
 */
public record TestedHeads(
        double[] p, double[] q, double[] effect, double[] mean0, double[] mean1, double[] auroc) {
    /** Of p and q. */
    static final double LEVEL = 0.05;

    /** Of a run that did not store the AUROC. */
    TestedHeads(double[] p, double[] q, double[] effect, double[] mean0, double[] mean1) {
        this(p, q, effect, mean0, mean1, Arrays.stream(effect).map(value -> (value + 1) / 2).toArray());
    }

    /** Share of heads with p below 0.05. */
    public double shareSignificant() {
        return share(p);
    }

    /** Share of heads with q below 0.05. */
    public double shareDiscovered() {
        return share(q);
    }

    private static double share(double[] values) {
        return Arrays.stream(values).filter(value -> value < LEVEL).count() / (double) values.length;
    }
}
