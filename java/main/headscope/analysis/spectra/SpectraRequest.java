package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.RunRequest;

import headscope.metric.Metric;
import headscope.model.Sampler;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a spectra run is asked for.
 *
 * @param texts         path of a file of JSON lines, or "-" for standard input
 * @param k             largest eigenvalues kept per head and text
 * @param perSample     how a text's k eigenvalues enter the test
 * @param maxNewTokens  longest answer
 * @param stop          a string that ends an answer; empty = none
 * @param limit         only so many texts from the top; 0 = all
 * @param skipShort     texts with fewer than k tokens are left out and counted, rather than refused
 * @param metrics       attention score and Laplacian eigenvalues first, then whatever else is to be kept
 */
public record SpectraRequest(
        RunRequest run, String texts, int k, PerSample perSample, int maxNewTokens, String stop, Sampler sampler,
        long seed, int limit, boolean skipShort, List<Metric> metrics, boolean markSignificant) {

    /** How ten eigenvalues become the sample of a test. */
    public enum PerSample {
        /** The mean of a text's k largest: one value per text. */
        MEAN,
        /** Every one of the k largest on its own; values of one text depend on each other, so p is too small. */
        POOLED
    }

    public SpectraRequest {
        require(k >= 1, "--k must be at least 1, not " + k);
        require(limit >= 0, "--limit must be at least 1, not " + limit);
        require(maxNewTokens >= 1, "--max-new-tokens must be at least 1, not " + maxNewTokens);
        metrics = List.copyOf(metrics);
    }

    private static void require(boolean holds, String rule) {
        if (!holds) {
            throw new InputException(rule);
        }
    }

    /** The two that are tested, then those of others that are not among them. */
    public static List<Metric> metrics(int k, List<Metric> others) {
        List<Metric> tested = List.of(
                new Metric.AttentionScore(), new Metric.LaplacianEigenvalues(k), new Metric.AttentionEigenvalues(k));
        return Stream.concat(tested.stream(), others.stream()).distinct().toList();
    }

    /** Values per head and text. */
    int perHead(Metric metric) {
        return metric instanceof Metric.Spectrum ? k : 1;
    }
}
