package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.RowSums;
import headscope.metric.Metric;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/** Metrics of one head from its statistics, in fp64. */
final class HeadFold {
    private final AttentionStatistics statistics;
    private final AttentionSpec spec;
    private final int tokens;
    /** Index of the head's first element in a vector of all heads. */
    private final long first;
    private final MemorySegment logDiagonal;
    private final MemorySegment columnSum;

    HeadFold(AttentionStatistics statistics, AttentionSpec spec, int head) {
        this.statistics = statistics;
        this.spec = spec;
        this.tokens = statistics.tokens();
        this.first = (long) head * statistics.capacity();
        this.logDiagonal = statistics.logDiagonal.bytes();
        this.columnSum = statistics.columnSum.bytes();
    }

    double[] of(Metric metric) {
        return switch (metric) {
            case Metric.LaplacianEigenvalues m -> largest(m.largest(), this::laplacian);
            case Metric.AttentionEigenvalues m -> largest(m.largest(), this::diagonal);
            case Metric.AttentionScore m -> mean(0, logDiagonal);
            case Metric.Entropy m -> mean(0, statistics.entropy.bytes());
            case Metric.NormalisedEntropy m -> normalisedEntropy();
            case Metric.SinkShare m -> one(columnSum(0) / tokens);
            case Metric.MeanDistance m -> mean(0, statistics.distance.bytes());
            case Metric.PreviousToken m -> mean(1, statistics.previous.bytes());
            case Metric.SelfAttention m -> meanDiagonal();
            case Metric.Confidence m -> mean(0, statistics.maximum.bytes());
            case Metric.Symmetric m -> throw new IllegalArgumentException(
                    m.key() + " needs the whole attention map: use symmetricSpectrum");
        };
    }

    /** Adds the newest rows of a head to its {@link RowSums}, in the order of the rows. */
    static void addRows(AttentionStatistics statistics, AttentionSpec spec, int head, int newRows) {
        int before = statistics.tokens();
        int end = before + newRows;
        HeadFold fold = new HeadFold(statistics, spec, head);
        MemorySegment entropies = statistics.entropy.bytes();
        MemorySegment distances = statistics.distance.bytes();
        MemorySegment previous = statistics.previous.bytes();
        MemorySegment maxima = statistics.maximum.bytes();
        double[] sums = before == 0 ? new double[RowSums.COUNT] : sums(statistics, head);
        for (int i = before; i < end; i++) {
            int keys = spec.endKey(i, end);
            double entropy = fold.value(entropies, i);
            sums[RowSums.LOG_DIAGONAL] += fold.value(fold.logDiagonal, i);
            sums[RowSums.ENTROPY] += entropy;
            sums[RowSums.NORMALISED_ENTROPY] += keys > 1 ? entropy / Math.log(keys) : 0;
            sums[RowSums.DISTANCE] += fold.value(distances, i);
            sums[RowSums.PREVIOUS] += i > 0 ? fold.value(previous, i) : 0;
            sums[RowSums.DIAGONAL] += fold.diagonal(i);
            sums[RowSums.MAXIMUM] += fold.value(maxima, i);
        }
        MemorySegment.copy(sums, 0, statistics.sums.rows(head, 1).bytes(), JAVA_DOUBLE, 0, sums.length);
    }

    private static double[] sums(AttentionStatistics statistics, int head) {
        return statistics.sums.rows(head, 1).bytes().toArray(JAVA_DOUBLE);
    }

    /** Metrics with one value per head [metrics], from the head's {@link RowSums}. */
    static double[] ofSums(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec, int head) {
        double[] sums = sums(statistics, head);
        double firstKey = new HeadFold(statistics, spec, head).columnSum(0);
        return metrics.stream()
                .mapToDouble(metric -> RowSums.metric(metric, sums, firstKey, statistics.tokens(), spec.causal()))
                .toArray();
    }

    private double value(MemorySegment perToken, int token) {
        return perToken.getAtIndex(JAVA_FLOAT, first + token);
    }

    private double columnSum(int token) {
        return columnSum.getAtIndex(JAVA_DOUBLE, first + token);
    }

    private double diagonal(int token) {
        return Math.exp(value(logDiagonal, token));
    }

    private double laplacian(int token) {
        return columnSum(token) / (tokens - token) - diagonal(token);
    }

    private double[] normalisedEntropy() {
        MemorySegment entropies = statistics.entropy.bytes();
        double sum = 0;
        int rows = 0;
        for (int i = 0; i < tokens; i++) {
            int keys = spec.endKey(i, tokens);
            if (keys > 1) {
                sum += value(entropies, i) / Math.log(keys);
                rows++;
            }
        }
        return one(sum / rows);
    }

    private double[] mean(int from, MemorySegment perToken) {
        double sum = 0;
        for (int i = from; i < tokens; i++) {
            sum += value(perToken, i);
        }
        return one(sum / (tokens - from));
    }

    private double[] meanDiagonal() {
        double sum = 0;
        for (int i = 0; i < tokens; i++) {
            sum += diagonal(i);
        }
        return one(sum / tokens);
    }

    private static double[] one(double value) {
        return new double[] {value};
    }

    private double[] largest(int count, IntToDoubleFunction value) {
        double[] values = new double[tokens];
        Arrays.setAll(values, value);
        Arrays.sort(values);
        double[] kept = new double[Math.min(count, tokens)];
        Arrays.setAll(kept, i -> values[tokens - 1 - i]);
        return kept;
    }
}
