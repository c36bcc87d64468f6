package headscope.backend;

import static headscope.backend.Reference.doubles;
import static headscope.backend.Reference.get;
import static headscope.backend.Reference.set;

import headscope.tensor.Tensor;

/** Attention of one head from its definition, with the whole [queries, keys] map in double. */
final class ReferenceAttention {
    private ReferenceAttention() {}

    /** Scores [queries, keys], scaled and capped; negative infinity for masked keys. */
    static double[][] scores(Tensor q, Tensor k, AttentionSpec spec, int head) {
        int queries = q.intSize(0);
        int keys = k.intSize(0);
        int headDim = spec.headDim();
        double[] query = doubles(q);
        double[] key = doubles(k);
        double[][] scores = new double[queries][keys];
        for (int i = 0; i < queries; i++) {
            int row = keys - queries + i;
            for (int j = 0; j < keys; j++) {
                boolean visible = !spec.causal() || j <= row && (spec.window() == 0 || j > row - spec.window());
                double dot = 0;
                for (int d = 0; d < headDim && visible; d++) {
                    dot += query[(i * spec.heads() + head) * headDim + d]
                            * key[(j * spec.kvHeads() + head / (spec.heads() / spec.kvHeads())) * headDim + d];
                }
                double score = dot * spec.scale();
                double capped = spec.softCap() > 0 ? spec.softCap() * Math.tanh(score / spec.softCap()) : score;
                scores[i][j] = visible ? capped : Double.NEGATIVE_INFINITY;
            }
        }
        return scores;
    }

    /** Log-sum-exp [queries] of scores [queries, keys], the sink included. */
    static double[] logSumExp(double[][] scores, AttentionSpec spec, int head) {
        double sink = spec.sinks().isPresent() ? get(spec.sinks().get(), head) : Double.NEGATIVE_INFINITY;
        double[] logSumExp = new double[scores.length];
        for (int i = 0; i < scores.length; i++) {
            double peak = sink;
            for (double score : scores[i]) {
                peak = Math.max(peak, score);
            }
            double total = Math.exp(sink - peak);
            for (double score : scores[i]) {
                total += Math.exp(score - peak);
            }
            logSumExp[i] = peak + Math.log(total);
        }
        return logSumExp;
    }

    /** Logarithms of the probabilities [queries, keys]. */
    static double[][] logMap(double[][] scores, double[] logSumExp) {
        double[][] logMap = new double[scores.length][];
        for (int i = 0; i < scores.length; i++) {
            logMap[i] = scores[i].clone();
            for (int j = 0; j < logMap[i].length; j++) {
                logMap[i][j] -= logSumExp[i];
            }
        }
        return logMap;
    }

    /** Probabilities [queries, keys]. */
    static double[][] map(Tensor q, Tensor k, AttentionSpec spec, int head) {
        double[][] scores = scores(q, k, spec, head);
        return ReferenceMetrics.exp(logMap(scores, logSumExp(scores, spec, head)));
    }

    /** The output [queries, heads * headDim]. */
    static void output(Tensor out, Tensor q, Tensor k, Tensor v, AttentionSpec spec) {
        int headDim = spec.headDim();
        for (int head = 0; head < spec.heads(); head++) {
            double[][] map = map(q, k, spec, head);
            double[] values = doubles(v);
            int kvHead = head / (spec.heads() / spec.kvHeads());
            for (int i = 0; i < map.length; i++) {
                double[] sum = new double[headDim];
                for (int j = 0; j < map[i].length; j++) {
                    for (int d = 0; d < headDim; d++) {
                        sum[d] += map[i][j] * values[(j * spec.kvHeads() + kvHead) * headDim + d];
                    }
                }
                for (int d = 0; d < headDim; d++) {
                    set(out, ((long) i * spec.heads() + head) * headDim + d, sum[d]);
                }
            }
        }
    }

    /** Log-sum-exp [heads, queries]. */
    static void logSumExp(Tensor logSumExp, Tensor q, Tensor k, AttentionSpec spec) {
        int queries = q.intSize(0);
        for (int head = 0; head < spec.heads(); head++) {
            double[] lse = logSumExp(
                    scores(q, k, spec, head), spec, head);
            for (int i = 0; i < queries; i++) {
                set(logSumExp, (long) head * queries + i, lse[i]);
            }
        }
    }
}
