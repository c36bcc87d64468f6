package headscope.analysis.spectra;

import headscope.analysis.LabelNames;
import headscope.result.SpectraView;
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
 * @param tested          keys of the stored metrics to test
 * @param view            what the figure shows; it draws tested metrics
 * @param probes          fit the probes
 * @param seed            for the probes
 */
public record RetestRequest(
        Path from, Optional<String> labels, LabelNames labelNames, Path out, boolean overwrite, String command, OptionalInt k,
        Optional<SpectraRequest.PerSample> perSample, List<String> tested, SpectraView view,
        boolean probes, OptionalLong seed) {}
