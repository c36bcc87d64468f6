package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.RowSums;
import headscope.metric.Metric;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Metrics of one head from its statistics, in fp64. Vectors are copied to arrays: on memory segments, JDK 25 compiled these loops
 * twenty times during a short run, up to a third of a second each.
 */
final class HeadFold {
    private final AttentionStatistics statistics;
    private final AttentionSpec spec;
    private final int tokens;
    /** Index of the head's first element in a vector of all heads. */
    private final long first;

    HeadFold(AttentionStatistics statistics, AttentionSpec spec, int head) {
        this.statistics = statistics;
        this.spec = spec;
        this.tokens = statistics.tokens();
        this.first = (long) head * statistics.capacity();
    }

    double[] of(Metric metric) {
        return switch (metric) {
            case Metric.LaplacianEigenvalues m -> largest(m.largest(), laplacian());
            case Metric.AttentionEigenvalues m -> largest(m.largest(), diagonal());
            case Metric.AttentionScore m -> mean(0, statistics.logDiagonal);
            case Metric.Entropy m -> mean(0, statistics.entropy);
            case Metric.NormalisedEntropy m -> normalisedEntropy();
            case Metric.SinkShare m -> one(firstColumnSum() / tokens);
            case Metric.MeanDistance m -> mean(0, statistics.distance);
            case Metric.PreviousToken m -> mean(1, statistics.previous);
            case Metric.SelfAttention m -> meanDiagonal();
            case Metric.Confidence m -> mean(0, statistics.maximum);
            case Metric.Symmetric m -> throw new IllegalArgumentException(
                    m.key() + " needs the whole attention map: use symmetricSpectrum");
        };
    }

    /** Adds the newest rows of a head to its {@link RowSums}, in the order of the rows. */
    static void addRows(AttentionStatistics statistics, AttentionSpec spec, int head, int newRows) {
        int before = statistics.tokens();
        int end = before + newRows;
        HeadFold fold = new HeadFold(statistics, spec, head);
        float[] logDiagonal = fold.values(statistics.logDiagonal, before, end);
        float[] entropy = fold.values(statistics.entropy, before, end);
        float[] distance = fold.values(statistics.distance, before, end);
        float[] previous = fold.values(statistics.previous, before, end);
        float[] maximum = fold.values(statistics.maximum, before, end);
        double[] sums = before == 0 ? new double[RowSums.COUNT] : sums(statistics, head);
        for (int i = 0; i < newRows; i++) {
            int keys = spec.endKey(before + i, end);
            sums[RowSums.LOG_DIAGONAL] += logDiagonal[i];
            sums[RowSums.ENTROPY] += entropy[i];
            sums[RowSums.NORMALISED_ENTROPY] += keys > 1 ? entropy[i] / Math.log(keys) : 0;
            sums[RowSums.DISTANCE] += distance[i];
            sums[RowSums.PREVIOUS] += before + i > 0 ? previous[i] : 0;
            sums[RowSums.DIAGONAL] += Math.exp(logDiagonal[i]);
            sums[RowSums.MAXIMUM] += maximum[i];
        }
        MemorySegment.copy(sums, 0, statistics.sums.rows(head, 1).bytes(), JAVA_DOUBLE, 0, sums.length);
    }

    private static double[] sums(AttentionStatistics statistics, int head) {
        return statistics.sums.rows(head, 1).bytes().toArray(JAVA_DOUBLE);
    }

    /** Metrics with one value per head [metrics], from the head's {@link RowSums}. */
    static double[] ofSums(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec, int head) {
        double[] sums = sums(statistics, head);
        double firstKey = new HeadFold(statistics, spec, head).firstColumnSum();
        return metrics.stream()
                .mapToDouble(metric -> RowSums.metric(metric, sums, firstKey, statistics.tokens(), spec.causal()))
                .toArray();
    }

    /** The elements of this head for tokens from .. end - 1. */
    private float[] values(Tensor perToken, int from, int end) {
        return perToken.bytes().asSlice((first + from) * Float.BYTES, (long) (end - from) * Float.BYTES).toArray(JAVA_FLOAT);
    }

    private double firstColumnSum() {
        return statistics.columnSum.bytes().getAtIndex(JAVA_DOUBLE, first);
    }

    /** The attention of each token to itself. */
    private double[] diagonal() {
        float[] logDiagonal = values(statistics.logDiagonal, 0, tokens);
        double[] diagonal = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            diagonal[i] = Math.exp(logDiagonal[i]);
        }
        return diagonal;
    }

    private double[] laplacian() {
        double[] columnSums = statistics.columnSum.bytes()
                .asSlice(first * Double.BYTES, (long) tokens * Double.BYTES).toArray(JAVA_DOUBLE);
        double[] laplacian = diagonal();
        for (int i = 0; i < tokens; i++) {
            laplacian[i] = columnSums[i] / (tokens - i) - laplacian[i];
        }
        return laplacian;
    }

    private double[] normalisedEntropy() {
        float[] entropy = values(statistics.entropy, 0, tokens);
        double sum = 0;
        int rows = 0;
        for (int i = 0; i < tokens; i++) {
            int keys = spec.endKey(i, tokens);
            if (keys > 1) {
                sum += entropy[i] / Math.log(keys);
                rows++;
            }
        }
        return one(sum / rows);
    }

    private double[] mean(int from, Tensor perToken) {
        double sum = 0;
        for (float value : values(perToken, from, tokens)) {
            sum += value;
        }
        return one(sum / (tokens - from));
    }

    private double[] meanDiagonal() {
        double sum = 0;
        for (double value : diagonal()) {
            sum += value;
        }
        return one(sum / tokens);
    }

    private static double[] one(double value) {
        return new double[] {value};
    }

    /** @param values sorted by this method */
    private double[] largest(int count, double[] values) {
        Arrays.sort(values);
        double[] kept = new double[Math.min(count, tokens)];
        Arrays.setAll(kept, i -> values[tokens - 1 - i]);
        return kept;
    }
}
