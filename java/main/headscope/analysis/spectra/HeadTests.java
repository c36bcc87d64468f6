package headscope.analysis.spectra;

import headscope.analysis.statistics.BenjaminiHochberg;
import headscope.analysis.statistics.MannWhitney;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * For every head, whether its values differ between texts of label 1 and label 0: two-sided Mann-Whitney U,
 * Benjamini-Hochberg over all heads.
 *
 * @param p      [heads of all layers]
 * @param q      as p
 * @param effect rank-biserial correlation, positive where label 1 has the larger values
 * @param mean0  mean over texts of label 0
 * @param mean1  mean over texts of label 1
 */
record HeadTests(double[] p, double[] q, double[] effect, double[] mean0, double[] mean1) {
    private static final double LEVEL = 0.05;

    /**
     * @param values  one array per text, [heads of all layers * perHead]
     * @param labels  of the texts; both occur
     * @param pooled  every value on its own, rather than the mean of a text's values of a head
     */
    static HeadTests of(List<float[]> values, int[] labels, int perHead, boolean pooled) {
        int heads = values.getFirst().length / perHead;
        double[] effect = new double[heads];
        double[] mean0 = new double[heads];
        double[] mean1 = new double[heads];
        double[] p = new double[heads];
        IntStream.range(0, heads).parallel().forEach(head -> {
            double[] right = sample(values, labels, 0, head, perHead, pooled);
            double[] wrong = sample(values, labels, 1, head, perHead, pooled);
            MannWhitney test = MannWhitney.test(wrong, right);
            p[head] = test.p();
            effect[head] = test.effect();
            mean0[head] = Arrays.stream(right).average().orElseThrow();
            mean1[head] = Arrays.stream(wrong).average().orElseThrow();
        });
        return new HeadTests(p, BenjaminiHochberg.qValues(p), effect, mean0, mean1);
    }

    private static double[] sample(
            List<float[]> values, int[] labels, int label, int head, int perHead, boolean pooled) {
        return IntStream.range(0, labels.length)
                .filter(text -> labels[text] == label)
                .mapToObj(text -> IntStream.range(head * perHead, (head + 1) * perHead)
                        .mapToDouble(i -> values.get(text)[i]))
                .flatMapToDouble(ofText -> pooled ? ofText : ofText.average().stream())
                .toArray();
    }

    /** Share of heads with p below 0.05. */
    double shareSignificant() {
        return share(p);
    }

    /** Share of heads with q below 0.05. */
    double shareDiscovered() {
        return share(q);
    }

    private static double share(double[] values) {
        return Arrays.stream(values).filter(value -> value < LEVEL).count() / (double) values.length;
    }
}
