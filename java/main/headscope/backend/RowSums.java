package headscope.backend;

import headscope.metric.Metric;

/**
 * Sums over the rows of one head's map so far, from which its metrics follow without reading every row again. They grow
 * with every call of attention; see {@link AttentionStatistics#sums}.
 */
public final class RowSums {
    /** Number of sums per head. */
    public static final int COUNT = 7;

    /** log a_ii. */
    public static final int LOG_DIAGONAL = 0;
    /** Entropies. */
    public static final int ENTROPY = 1;
    /** Entropies over log n, of rows with n &gt; 1 visible keys if there were no window. */
    public static final int NORMALISED_ENTROPY = 2;
    /** Distances. */
    public static final int DISTANCE = 3;
    /** a_(i, i-1). */
    public static final int PREVIOUS = 4;
    /** a_ii. */
    public static final int DIAGONAL = 5;
    /** max_j a_ij. */
    public static final int MAXIMUM = 6;

    private RowSums() {}

    /**
     * A metric with one value per head.
     *
     * @param sums     [{@link #COUNT}]
     * @param firstKey sum of the map's first column
     */
    public static double metric(Metric metric, double[] sums, double firstKey, int tokens, boolean causal) {
        return switch (metric) {
            case Metric.AttentionScore m -> sums[LOG_DIAGONAL] / tokens;
            case Metric.Entropy m -> sums[ENTROPY] / tokens;
            // The first row of a causal map has one key.
            case Metric.NormalisedEntropy m -> sums[NORMALISED_ENTROPY] / (causal || tokens == 1 ? tokens - 1 : tokens);
            case Metric.SinkShare m -> firstKey / tokens;
            case Metric.MeanDistance m -> sums[DISTANCE] / tokens;
            case Metric.PreviousToken m -> sums[PREVIOUS] / (tokens - 1);
            case Metric.SelfAttention m -> sums[DIAGONAL] / tokens;
            case Metric.Confidence m -> sums[MAXIMUM] / tokens;
            case Metric.Spectrum m -> throw severalValues(m);
            case Metric.Symmetric m -> throw severalValues(m);
        };
    }

    private static IllegalArgumentException severalValues(Metric metric) {
        return new IllegalArgumentException(metric.key() + " is not a mean over rows");
    }
}
