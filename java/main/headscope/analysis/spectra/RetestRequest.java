package headscope.analysis.spectra;

import headscope.analysis.LabelNames;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The settings of a test of stored values; what is empty is taken from the run.
 *
 * @param from            folder of a finished spectra run
 * @param labels          file of other labels
 * @param labelNames      how the file of labels writes them
 * @param out             run folder to be written
 * @param overwrite       replace an earlier run in {@code out}
 * @param command         the command as typed, for the manifest
 * @param k               number of largest eigenvalues, up to the stored one
 * @param perSample       how a text's k eigenvalues enter the test
 * @param metrics         keys of the stored metrics to test
 * @param markSignificant mark heads with q below 0.05 in the figure
 * @param probes          fit the probes
 * @param seed            for the probes
 */
public record RetestRequest(
        Path from, Optional<String> labels, LabelNames labelNames, Path out, boolean overwrite, String command, OptionalInt k,
        Optional<SpectraRequest.PerSample> perSample, Optional<List<String>> metrics, boolean markSignificant,
        boolean probes, OptionalLong seed) {}
