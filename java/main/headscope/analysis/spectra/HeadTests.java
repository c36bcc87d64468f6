package headscope.analysis.spectra;

import headscope.analysis.statistics.BenjaminiHochberg;
import headscope.analysis.statistics.MannWhitney;
import headscope.result.TestedHeads;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Tests whether the values of each head differ between texts of label 1 and label 0: two-sided Mann-Whitney U per head,
 * corrected for the number of heads by Benjamini and Hochberg.
 */
final class HeadTests {
    private HeadTests() {}

    /**
     * @param values one array per text, [layers, heads, perHead]
     * @param labels of the texts; both occur
     * @param pooled every value of a text is one sample; otherwise the mean of its values is one sample
     */
    static TestedHeads of(List<float[]> values, int[] labels, int perHead, boolean pooled) {
        int heads = values.getFirst().length / perHead;
        double[] effect = new double[heads];
        double[] auroc = new double[heads];
        double[] mean0 = new double[heads];
        double[] mean1 = new double[heads];
        double[] p = new double[heads];
        IntStream.range(0, heads).parallel().forEach(head -> {
            double[] right = sample(values, labels, 0, head, perHead, pooled);
            double[] wrong = sample(values, labels, 1, head, perHead, pooled);
            mean0[head] = Arrays.stream(right).average().orElse(Double.NaN);
            mean1[head] = Arrays.stream(wrong).average().orElse(Double.NaN);
            if (right.length == 0 || wrong.length == 0) {
                p[head] = Double.NaN;
                effect[head] = Double.NaN;
                auroc[head] = Double.NaN;
                return;
            }
            MannWhitney test = MannWhitney.test(wrong, right);
            p[head] = test.p();
            effect[head] = test.effect();
            auroc[head] = test.auroc();
        });
        return new TestedHeads(p, BenjaminiHochberg.qValues(p), effect, mean0, mean1, auroc);
    }

    private static double[] sample(
            List<float[]> values, int[] labels, int label, int head, int perHead, boolean pooled) {
        return IntStream.range(0, labels.length)
                .filter(text -> labels[text] == label)
                .mapToObj(text -> IntStream.range(head * perHead, (head + 1) * perHead)
                        .mapToDouble(i -> values.get(text)[i]))
                .flatMapToDouble(ofText -> pooled ? ofText : ofText.average().stream())
                .filter(value -> !Double.isNaN(value)) // undefined for this text
                .toArray();
    }
}
