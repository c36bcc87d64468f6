package headscope.analysis.spectra;

import headscope.analysis.statistics.ProbeResult;

import java.util.Map;
import java.util.SequencedMap;

/**
 * What a spectra run found, for people.
 *
 * @param answered  whether the labels say how the model answered: 0 right, 1 wrong
 * @param label0    texts of label 0
 * @param label1    texts of label 1
 * @param skipped   texts left out as too short
 * @param heads     of all layers
 * @param shareP    share of heads with p below 0.05, by metric
 * @param shareQ    share of heads with q below 0.05, by metric
 * @param probes    how well features tell the classes apart, by feature
 * @param unsupervised AUROC of the attention score without training, larger for label 1
 */
public record SpectraSummary(
        boolean answered, int label0, int label1, int skipped, int heads, SequencedMap<String, Double> shareP, Map<String, Double> shareQ,
        double unsupervised, SequencedMap<String, ProbeResult> probes) {

    /** Heads that would pass p below 0.05 if no head differed. */
    public int byChance() {
        return (int) Math.round(0.05 * heads);
    }

    /** How many texts of which label, in words. */
    public String classes() {
        return answered
                ? "%d right answers, %d wrong".formatted(label0, label1)
                : "%d texts of label 0, %d of label 1".formatted(label0, label1);
    }
}
