package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import headscope.analysis.spectra.SpectraRequest.PerSample;
import headscope.metric.Metric;
import java.util.List;

/**
 * How values are tested.
 *
 * @param k              number of largest eigenvalues per head and text
 * @param perSample      how a text's k eigenvalues enter the test
 * @param metrics        keys of the metrics whose heads are tested
 * @param markSignificant mark heads with q below 0.05 in the figure
 * @param probes         fit the probes
 * @param seed           for the probes
 */
record TestSettings(
        int k, PerSample perSample, List<String> metrics, boolean markSignificant, boolean probes, long seed) {
    /** The metrics of the published figure. */
    static final List<String> METRICS =
            List.of(new Metric.AttentionScore().key(), new Metric.LaplacianEigenvalues(1).key());

    TestSettings {
        require(k >= 1, "--k must be at least 1, not " + k);
        metrics = List.copyOf(metrics);
    }
}
