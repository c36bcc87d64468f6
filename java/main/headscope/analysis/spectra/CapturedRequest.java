package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import headscope.analysis.LabelNames;
import headscope.backend.DeviceChoice;
import headscope.metric.Metric;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a spectra run of captured queries and keys.
 *
 * @param files           of headscope_tap.save, one text each
 * @param labels          file of labels; empty if the captured files have them
 * @param labelNames      how the file of labels writes them
 * @param device          where to compute
 * @param out             run folder to be written
 * @param overwrite       replace an earlier run in {@code out}
 * @param command         the command as typed, for the manifest
 * @param skipShort       skip and count texts with fewer than k tokens instead of rejecting them
 * @param metrics         attention score and eigenvalues first, then further metrics to store, the tested ones among them
 * @param k               number of largest eigenvalues kept per head and text
 * @param perSample       how a text's k eigenvalues enter the test
 * @param tested          keys of the metrics whose heads are tested
 * @param view            what the figure shows; it draws tested metrics
 * @param probes          fit the probes
 * @param seed            for the probes
 */
public record CapturedRequest(
        List<Path> files, Optional<String> labels, LabelNames labelNames, DeviceChoice device, Path out, boolean overwrite, String command,
        boolean skipShort, List<Metric> metrics, int k, SpectraRequest.PerSample perSample, List<String> tested,
        SpectraView view, boolean probes, long seed) {
    public CapturedRequest {
        require(!files.isEmpty(), "--captured needs at least one file of headscope_tap.save");
        require(k >= 1, "--k must be at least 1, not " + k);
        files = List.copyOf(files);
        metrics = List.copyOf(metrics);
        tested = List.copyOf(tested);
        TestSettings.requireMeasured(metrics, tested, view);
    }

    TestSettings tests() {
        return new TestSettings(k, perSample, tested, view, probes, seed);
    }
}
