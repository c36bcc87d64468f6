package headscope.analysis.spectra;

import headscope.analysis.statistics.ProbeResult;
import headscope.result.LayerAuroc;
import headscope.result.TestedHeads;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The findings of a spectra run, for its summary.
 *
 * @param answered  whether label 0 is a right and label 1 a wrong answer; otherwise the file gives the labels
 * @param label0    number of texts of label 0
 * @param label1    number of texts of label 1
 * @param skipped   number of texts skipped as too short
 * @param heads     number of heads in all layers
 * @param perLayer  number of heads in a layer
 * @param tested    by metric; empty without tests
 * @param shareP    share of heads with p below 0.05, by metric; empty without tests
 * @param shareQ    share of heads with q below 0.05, by metric
 * @param probes    AUROC of the probes, by feature; empty if none was fitted
 * @param layers    AUROC of the probes of each layer; empty if none was fitted
 * @param unsupervised AUROC of the untrained attention score, larger for label 1; NaN without tests
 * @param hasValues whether the run folder has the values, which a test of the values of another run does not copy
 */
public record SpectraSummary(
        boolean answered, int label0, int label1, int skipped, int heads, int perLayer,
        SequencedMap<String, TestedHeads> tested, SequencedMap<String, Double> shareP, Map<String, Double> shareQ,
        double unsupervised, SequencedMap<String, ProbeResult> probes,
        Optional<LayerAuroc> layers, boolean hasValues) {

    /** Expected number of heads with p below 0.05 if no head differs. */
    public int byChance() {
        return (int) Math.round(0.05 * heads);
    }

    /** Why there are no tests, in words; empty if there are. */
    public Optional<String> untested() {
        if (label0 > 0 && label1 > 0) {
            return Optional.empty();
        }
        return Optional.of((answered
                ? "all %d answers are %s".formatted(label0 + label1, label0 > 0 ? "right" : "wrong")
                : "all %d texts have label %d".formatted(label0 + label1, label0 > 0 ? 0 : 1))
                + "; a test needs both classes");
    }

    /** The name of a tested metric in {@code shareP}. */
    public static String name(String metric) {
        return SpectraTests.name(metric);
    }

    /** The number of texts of each label, in words. */
    public String classes() {
        return answered
                ? "%d right answers, %d wrong".formatted(label0, label1)
                : "%d texts of label 0, %d of label 1".formatted(label0, label1);
    }
}
