package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * Attention's output, statistics and metrics of one case on one backend.
 *
 * @param out       [tokens, heads * headDim], empty if only statistics were computed
 * @param logSumExp [heads, tokens], as the statistics after it
 */
record AttentionObservation(
        AttentionCase of, float[] out, float[] logSumExp, float[] logDiagonal, double[] columnSum, float[] entropy,
        float[] maximum, float[] previous, float[] distance, LayerResult metrics) {
    static AttentionObservation reference(AttentionCase one) {
        return observe(new Reference(), one, one.tokens());
    }

    /** @param pieces numbers of rows of successive calls, as in prefill and decoding */
    static AttentionObservation observe(Backend backend, AttentionCase one, int... pieces) {
        return observe(backend, one, true, pieces);
    }

    /** Statistics without the output. */
    static AttentionObservation statistics(Backend backend, AttentionCase one) {
        return observe(backend, one, false, one.tokens());
    }

    private static AttentionObservation observe(Backend backend, AttentionCase one, boolean output, int... pieces) {
        try (TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = one.spec(on);
            Tensor q = one.queries(on);
            Tensor k = one.keys(on);
            Tensor v = one.values(on);
            Tensor out = on.unwritten(q.shape());
            // A capacity above the number of tokens makes the row stride differ from the row length.
            AttentionStatistics statistics = on.statistics(one.heads(), one.tokens() + 3);
            int first = 0;
            for (int count : pieces) {
                Tensor rows = q.rows(first, count);
                Tensor keys = k.rows(0, first + count);
                if (output) {
                    backend.attention(out.rows(first, count), rows, keys, v.rows(0, first + count),
                            Packing.of(rows.intSize(0), keys.intSize(0)), spec,
                            Optional.of(statistics));
                } else {
                    backend.attentionStatistics(rows, keys,
                            Packing.of(rows.intSize(0), keys.intSize(0)), spec, statistics);
                }
                first += count;
            }
            assertEquals(one.tokens(), statistics.tokens());
            return new AttentionObservation(one,
                    output ? backend.download(out) : new float[0], perToken(on, statistics.logSumExp, one),
                    perToken(on, statistics.logDiagonal, one), columnSums(on, statistics, one),
                    perToken(on, statistics.entropy, one), perToken(on, statistics.maximum, one),
                    perToken(on, statistics.previous, one), perToken(on, statistics.distance, one),
                    backend.measure(metrics(one), statistics, spec).getFirst());
        }
    }

    private static List<Metric> metrics(AttentionCase one) {
        return Metric.all(Metric.ALL).stream()
                .filter(metric -> !(metric instanceof Metric.Symmetric) && (one.causal() || !metric.causalOnly()))
                .toList();
    }

    /** [heads, capacity] -> [heads, tokens]. */
    private static float[] perToken(TensorScope on, Tensor tensor, AttentionCase one) {
        float[] all = on.backend.download(tensor);
        float[] used = new float[one.heads() * one.tokens()];
        for (int head = 0; head < one.heads(); head++) {
            System.arraycopy(all, head * tensor.intSize(1), used, head * one.tokens(), one.tokens());
        }
        return used;
    }

    private static double[] columnSums(TensorScope on, AttentionStatistics statistics, AttentionCase one) {
        double[] all = Reference.downloadDoubles(on.backend, statistics.columnSum);
        double[] used = new double[one.heads() * one.tokens()];
        for (int head = 0; head < one.heads(); head++) {
            System.arraycopy(all, head * statistics.capacity(), used, head * one.tokens(), one.tokens());
        }
        return used;
    }

    /** Compares an observation of the same case with this reference. */
    void compare(String what, AttentionObservation actual) {
        double[] softmax = of.tolerance();
        int width = of.heads() * of.headDim();
        float largestValue = Magnitude.largest(of.values());
        agree(what + ": output", out, actual.out,
                i -> (softmax[i % width / of.headDim() * of.tokens() + i / width] + Tolerance.rounding(of.operands()))
                        * largestValue + Tolerance.sum(of.tokens(), largestValue));
        agree(what + ": log-sum-exp", logSumExp, actual.logSumExp,
                i -> softmax[i] + Tolerance.formula(Math.abs(logSumExp[i])));
        agree(what + ": log diagonal", logDiagonal, actual.logDiagonal,
                i -> softmax[i] + Tolerance.formula(Math.abs(logDiagonal[i])));
        agree(what + ": entropy", entropy, actual.entropy, i -> Tolerance.entropy(softmax[i], entropy[i]));
        agree(what + ": maximum", maximum, actual.maximum, i -> softmax[i] * maximum[i] + Tolerance.formula(0));
        agree(what + ": previous", previous, actual.previous, i -> softmax[i] * previous[i] + Tolerance.formula(0));
        agree(what + ": distance", distance, actual.distance,
                i -> softmax[i] * distance[i] + Tolerance.formula(of.reach()));
        double[] columns = columnTolerance(softmax);
        agree(what + ": column sum", columnSum, actual.columnSum, i -> columns[i / of.tokens()]);
        double worst = DoubleStream.of(softmax).max().orElseThrow();
        for (Metric metric : metrics(of)) {
            for (int head = 0; head < of.heads(); head++) {
                double[] values = metrics.of(metric)[head];
                agree("%s: %s of head %d".formatted(what, metric.key(), head), values,
                        actual.metrics.of(metric)[head], i -> Tolerance.metric(metric, worst, of.reach(), values[i]));
            }
        }
    }

    /** Per head: the worst row's relative error times the largest column sum. */
    private double[] columnTolerance(double[] softmax) {
        double[] tolerance = new double[of.heads()];
        for (int head = 0; head < of.heads(); head++) {
            double worst = 0;
            double largest = 0;
            for (int i = head * of.tokens(); i < (head + 1) * of.tokens(); i++) {
                worst = Math.max(worst, softmax[i]);
                largest = Math.max(largest, columnSum[i]);
            }
            tolerance[head] = worst * largest + Tolerance.formula(0);
        }
        return tolerance;
    }

    /** Statistics and metrics of the two observations have equal bits. */
    void sameStatistics(String what, AttentionObservation actual) {
        same(what + ": log-sum-exp", logSumExp, actual.logSumExp);
        same(what + ": log diagonal", logDiagonal, actual.logDiagonal);
        same(what + ": column sum", columnSum, actual.columnSum);
        same(what + ": entropy", entropy, actual.entropy);
        same(what + ": maximum", maximum, actual.maximum);
        same(what + ": previous", previous, actual.previous);
        same(what + ": distance", distance, actual.distance);
        for (Metric metric : metrics(of)) {
            for (int head = 0; head < of.heads(); head++) {
                same(what + ": " + metric.key(), metrics.of(metric)[head], actual.metrics.of(metric)[head]);
            }
        }
    }
}
