package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import headscope.analysis.Digest;
import headscope.analysis.spectra.SpectraRequest.PerSample;
import headscope.metric.Metric;
import headscope.result.SpectraView;
import java.util.List;

/**
 * How values are tested.
 *
 * @param k              number of largest eigenvalues per head and text
 * @param perSample      how a text's k eigenvalues enter the test
 * @param metrics        keys of the metrics whose heads are tested
 * @param view           what the figure shows; it draws tested metrics
 * @param probes         fit the probes
 * @param seed           for the probes
 */
record TestSettings(
        int k, PerSample perSample, List<String> metrics, SpectraView view, boolean probes, long seed) {
    TestSettings {
        require(k >= 1, "--k must be at least 1, not " + k);
        metrics = List.copyOf(metrics);
    }

    /** Rejects tests of what is not measured, and drawings of what is not tested. */
    static void requireMeasured(List<Metric> measured, List<String> tested, SpectraView view) {
        List<String> keys = measured.stream().map(Metric::key).toList();
        require(!tested.isEmpty() && keys.containsAll(tested), "tested are %s, measured only %s".formatted(tested, keys));
        require(!view.drawn().isEmpty() && tested.containsAll(view.drawn()),
                "drawn are %s, tested only %s".formatted(view.drawn(), tested));
    }

    /**
     * The id of a run with these tests. The published tests keep the id of the values, which --resume compares: a run can be
     * resumed with other tests.
     *
     * @param values id of the values that are tested; they include k and the seed
     */
    String id(String values) {
        boolean published = perSample == PerSample.MEAN && metrics.equals(SpectraView.PUBLISHED.drawn()) && probes;
        return published ? values : Digest.id(values + perSample + metrics + probes);
    }
}
