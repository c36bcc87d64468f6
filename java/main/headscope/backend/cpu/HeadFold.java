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
import java.util.function.IntToDoubleFunction;

/** Metrics of one head from its statistics, in fp64. */
final class HeadFold {
    private final AttentionStatistics statistics;
    private final AttentionSpec spec;
    private final int head;
    private final int tokens;

    private HeadFold(AttentionStatistics statistics, AttentionSpec spec, int head) {
        this.statistics = statistics;
        this.spec = spec;
        this.head = head;
        this.tokens = statistics.tokens();
    }

    static double[] of(Metric metric, AttentionStatistics statistics, AttentionSpec spec, int head) {
        HeadFold fold = new HeadFold(statistics, spec, head);
        return switch (metric) {
            case Metric.LaplacianEigenvalues m -> fold.largest(m.largest(), i -> fold.laplacian(i));
            case Metric.AttentionEigenvalues m -> fold.largest(m.largest(), i -> fold.diagonal(i));
            case Metric.AttentionScore m -> fold.mean(0, i -> fold.row(statistics.logDiagonal, i));
            case Metric.Entropy m -> fold.mean(0, i -> fold.row(statistics.entropy, i));
            case Metric.NormalisedEntropy m -> fold.normalisedEntropy();
            case Metric.SinkShare m -> one(fold.columnSum(0) / fold.tokens);
            case Metric.MeanDistance m -> fold.mean(0, i -> fold.row(statistics.distance, i));
            case Metric.PreviousToken m -> fold.mean(1, i -> fold.row(statistics.previous, i));
            case Metric.SelfAttention m -> fold.mean(0, i -> fold.diagonal(i));
            case Metric.Confidence m -> fold.mean(0, i -> fold.row(statistics.maximum, i));
            case Metric.Symmetric m -> throw new IllegalArgumentException(
                    m.key() + " needs the whole attention map: use symmetricSpectrum");
        };
    }

    /** Adds the newest rows of a head to its {@link RowSums}, in the order of the rows. */
    static void addRows(AttentionStatistics statistics, AttentionSpec spec, int head, int newRows) {
        int before = statistics.tokens();
        int end = before + newRows;
        HeadFold fold = new HeadFold(statistics, spec, head);
        double[] sums = before == 0 ? new double[RowSums.COUNT] : sums(statistics, head);
        for (int i = before; i < end; i++) {
            int keys = spec.endKey(i, end);
            double entropy = fold.row(statistics.entropy, i);
            sums[RowSums.LOG_DIAGONAL] += fold.row(statistics.logDiagonal, i);
            sums[RowSums.ENTROPY] += entropy;
            sums[RowSums.NORMALISED_ENTROPY] += keys > 1 ? entropy / Math.log(keys) : 0;
            sums[RowSums.DISTANCE] += fold.row(statistics.distance, i);
            sums[RowSums.PREVIOUS] += i > 0 ? fold.row(statistics.previous, i) : 0;
            sums[RowSums.DIAGONAL] += fold.diagonal(i);
            sums[RowSums.MAXIMUM] += fold.row(statistics.maximum, i);
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

    private double row(Tensor perToken, int token) {
        return perToken.bytes().getAtIndex(JAVA_FLOAT, (long) head * statistics.capacity() + token);
    }

    private double columnSum(int token) {
        return statistics.columnSum.bytes().getAtIndex(JAVA_DOUBLE, (long) head * statistics.capacity() + token);
    }

    private double diagonal(int token) {
        return Math.exp(row(statistics.logDiagonal, token));
    }

    private double laplacian(int token) {
        return columnSum(token) / (tokens - token) - diagonal(token);
    }

    private double[] normalisedEntropy() {
        double sum = 0;
        int rows = 0;
        for (int i = 0; i < tokens; i++) {
            int keys = spec.endKey(i, tokens);
            if (keys > 1) {
                sum += row(statistics.entropy, i) / Math.log(keys);
                rows++;
            }
        }
        return one(sum / rows);
    }

    private double[] mean(int first, IntToDoubleFunction value) {
        double sum = 0;
        for (int i = first; i < tokens; i++) {
            sum += value.applyAsDouble(i);
        }
        return one(sum / (tokens - first));
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
