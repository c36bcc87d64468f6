package headscope.metric;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A measure of one attention head on one text of T tokens. a_ij are the probabilities of query i and key j. Formulas,
 * derivations and sources are in docs/metrics.md.
 */
public sealed interface Metric {
    /** A metric with several values per head, in descending order. */
    sealed interface Spectrum extends Metric {
        /** Number of largest values to compute; {@link #ALL} for all T. */
        int largest();
    }

    /** A function of the eigenvalues mu of I - D^-1/2 W D^-1/2 with W = (A + A') / 2 and D = diag(W 1). */
    sealed interface Symmetric extends Metric {
        /** Maximum number of tokens: the T x T matrix is stored. */
        int MAX_TOKENS = 4096;

        /**
         * The metric's value; NaN for one token.
         *
         * @param eigenvalues all T mu, ascending
         */
        default double of(double[] eigenvalues) {
            if (eigenvalues.length == 1) {
                return Double.NaN;
            }
            return switch (this) {
                case FiedlerValue m -> eigenvalues[1];
                case LargestEigenvalue m -> eigenvalues[eigenvalues.length - 1];
                case SpectralEntropy m -> spectralEntropy(eigenvalues);
            };
        }

        private static double spectralEntropy(double[] eigenvalues) {
            // The smallest eigenvalue is 0 up to rounding, and may be negative.
            double total = Arrays.stream(eigenvalues).map(mu -> Math.max(mu, 0)).sum();
            return total == 0 ? Double.NaN : Arrays.stream(eigenvalues)
                    .filter(mu -> mu > 0)
                    .map(mu -> mu / total)
                    .map(p -> -p * Math.log(p))
                    .sum();
        }
    }

    int ALL = Integer.MAX_VALUE;

    /** mean_i log a_ii. Nats, (-inf, 0]. Sriramanan et al. 2024 (LLM-Check), as in Binkowski et al. 2025. */
    record AttentionScore() implements Metric {}

    /** (sum_(u >= i) a_ui) / (T - i) - a_ii. [-1, 1]. Binkowski et al. 2025, equations 2 and 3. Causal only. */
    record LaplacianEigenvalues(int largest) implements Spectrum {}

    /** a_ii, which are the eigenvalues of a causal map. [0, 1]. Binkowski et al. 2025 (AttnEigvals). Causal only. */
    record AttentionEigenvalues(int largest) implements Spectrum {}

    /** mean_i - sum_j a_ij log a_ij. Nats, [0, log T]. Clark et al. 2019. */
    record Entropy() implements Metric {}

    /**
     * mean over i >= 1 of row entropy / log(i + 1), also with a sliding window; in both directions, mean over all rows of row
     * entropy / log T. [0, 1]; NaN for one token.
     */
    record NormalisedEntropy() implements Metric {}

    /** (sum_i a_i0) / T, the sink score of the first token. [0, 1]. Gu et al. 2024. */
    record SinkShare() implements Metric {}

    /** mean_i sum_j a_ij |i - j|. Tokens, [0, T). Vig and Belinkov 2019. */
    record MeanDistance() implements Metric {}

    /** mean over i >= 1 of a_(i, i-1). [0, 1]; NaN for one token. */
    record PreviousToken() implements Metric {}

    /** mean_i a_ii. [0, 1]. */
    record SelfAttention() implements Metric {}

    /** mean_i max_j a_ij. (0, 1]. Voita et al. 2019. */
    record Confidence() implements Metric {}

    /** The second smallest mu, the algebraic connectivity. [0, 2]. */
    record FiedlerValue() implements Symmetric {}

    /** The largest mu. [0, 2]. */
    record LargestEigenvalue() implements Symmetric {}

    /** - sum p log p with p = mu / sum mu. Nats, [0, log T]; NaN if every mu is 0. */
    record SpectralEntropy() implements Symmetric {}

    /** Name on the command line and in files. */
    default String key() {
        return switch (this) {
            case AttentionScore m -> "attention_score";
            case LaplacianEigenvalues m -> "laplacian";
            case AttentionEigenvalues m -> "attention_eigenvalues";
            case Entropy m -> "entropy";
            case NormalisedEntropy m -> "normalised_entropy";
            case SinkShare m -> "sink_share";
            case MeanDistance m -> "mean_distance";
            case PreviousToken m -> "previous_token";
            case SelfAttention m -> "self_attention";
            case Confidence m -> "confidence";
            case FiedlerValue m -> "fiedler_value";
            case LargestEigenvalue m -> "largest_eigenvalue";
            case SpectralEntropy m -> "spectral_entropy";
        };
    }

    /** Unit of the values, as an axis label; empty if dimensionless. */
    default String unit() {
        return switch (this) {
            case AttentionScore m -> "nats";
            case Entropy m -> "nats";
            case SpectralEntropy m -> "nats";
            case MeanDistance m -> "tokens";
            default -> "";
        };
    }

    /** Number of values per head on a text with this number of tokens. */
    default int valuesPerHead(int tokens) {
        return this instanceof Spectrum spectrum ? Math.min(spectrum.largest(), tokens) : 1;
    }

    /** Whether the metric is defined for causal attention only: it is read from the diagonal of a triangular map. */
    default boolean causalOnly() {
        return this instanceof Spectrum;
    }

    /** All metrics; those with several values compute the given number. */
    static List<Metric> all(int largest) {
        return List.of(
                new AttentionScore(), new LaplacianEigenvalues(largest), new AttentionEigenvalues(largest),
                new Entropy(), new NormalisedEntropy(), new SinkShare(), new MeanDistance(), new PreviousToken(),
                new SelfAttention(), new Confidence(), new FiedlerValue(), new LargestEigenvalue(),
                new SpectralEntropy());
    }

    /**
     * The metric with this {@link #key()}, where hyphens count as underscores.
     *
     * @throws IllegalArgumentException if there is none
     */
    static Metric parse(String key, int largest) {
        Optional<Metric> metric = all(largest).stream()
                .filter(candidate -> candidate.key().equals(key.strip().replace('-', '_')))
                .findFirst();
        return metric.orElseThrow(() -> new IllegalArgumentException("unknown metric \"%s\"; known are %s"
                .formatted(key, all(largest).stream().map(Metric::key).collect(Collectors.joining(", ")))));
    }

    /** The metrics of several keys, separated by commas. */
    static List<Metric> parseList(String keys, int largest) {
        return Arrays.stream(keys.split(",")).map(key -> parse(key, largest)).toList();
    }
}
