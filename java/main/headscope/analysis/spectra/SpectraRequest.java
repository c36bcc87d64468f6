package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import headscope.analysis.RunRequest;
import headscope.analysis.answers.Answering;
import headscope.metric.Metric;
import headscope.result.SpectraView;
import java.util.List;
import java.util.stream.Stream;

/**
 * The settings of a spectra run.
 *
 * @param texts         path of a file of texts, or "-" for standard input
 * @param k             largest eigenvalues kept per head and text
 * @param perSample     how a text's k eigenvalues enter the test
 * @param answering     how the model answers; its seed is also that of the folds of the probes
 * @param limit         number of texts from the beginning of the file; 0 = all
 * @param skipShort     skip and count texts with fewer than k tokens instead of rejecting them
 * @param metrics       attention score and eigenvalues first, then further metrics to store, the tested ones among them
 * @param tested        keys of the metrics whose heads are tested
 * @param view          what the figure shows; it draws tested metrics
 * @param probes        fit the probes
 * @param perToken      values of every token to store besides
 */
public record SpectraRequest(
        RunRequest run, String texts, int k, PerSample perSample, Answering answering, int limit, boolean skipShort,
        List<Metric> metrics, List<String> tested, SpectraView view, boolean probes, PerToken perToken) {
    /** The defaults that are neither zero nor false. */
    public static final int K = 10;

    public static final List<Metric> METRICS = List.of(
            new Metric.Entropy(), new Metric.NormalisedEntropy(), new Metric.SinkShare(), new Metric.MeanDistance(),
            new Metric.PreviousToken(), new Metric.SelfAttention(), new Metric.Confidence());

    /** Every setting at its default. */
    public static SpectraRequest of(RunRequest run, String texts) {
        return new SpectraRequest(run, texts, K, PerSample.MEAN, Answering.DEFAULT, 0, false, metrics(K, METRICS),
                SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, true, PerToken.NONE);
    }

    public SpectraRequest withMaxNewTokens(int tokens) {
        return new SpectraRequest(run, texts, k, perSample, answering.withMaxNewTokens(tokens), limit, skipShort, metrics,
                tested, view, probes, perToken);
    }

    /** How the k eigenvalues of a text enter the test of a head. */
    public enum PerSample {
        /** As their mean: one value per text. */
        MEAN,
        /** As k separate values; those of one text depend on each other, so p is too small. */
        POOLED
    }

    public SpectraRequest {
        require(k >= 1, "--k must be at least 1, not " + k);
        require(limit >= 0, "--limit must be at least 1, not " + limit);
        metrics = List.copyOf(metrics);
        tested = List.copyOf(tested);
        TestSettings.requireMeasured(metrics, tested, view);
    }

    /** The metrics that the analysis needs, then the others. */
    public static List<Metric> metrics(int k, List<Metric> others) {
        List<Metric> tested = List.of(
                new Metric.AttentionScore(), new Metric.LaplacianEigenvalues(k), new Metric.AttentionEigenvalues(k));
        return Stream.concat(tested.stream(), others.stream()).distinct().toList();
    }

    TestSettings tests() {
        return new TestSettings(k, perSample, tested, view, probes, answering.seed());
    }

    /** Number of values per head and text. */
    int perHead(Metric metric) {
        return metric instanceof Metric.Spectrum ? k : 1;
    }
}
