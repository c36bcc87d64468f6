package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/**
 * What attention leaves behind of one layer's T x T maps: one number per head and token, O(T) per head. Rows may
 * come in several calls (prefill, then one decoded token at a time); column sums grow with every row.
 *
 * <p>With a_ij the probabilities, s_ij the scores (scaled and capped) of query i and key j, all [heads, capacity]:
 */
public final class AttentionStatistics implements AutoCloseable {
    private final int heads;
    private final int capacity;

    /** lse_i = log sum_j exp s_ij, the sink's score included. fp32. */
    public final Tensor logSumExp;

    /** log a_ii = s_ii - lse_i: never the logarithm of a rounded probability. fp32. */
    public final Tensor logDiagonal;

    /** sum_i a_ij over the rows so far. fp64. */
    public final Tensor columnSum;

    /** - sum_j a_ij log a_ij, nats. fp32. */
    public final Tensor entropy;

    /** max_j a_ij. fp32. */
    public final Tensor maximum;

    /** a_(i, i-1); 0 where token i - 1 does not exist or is not seen. fp32. */
    public final Tensor previous;

    /** sum_j a_ij |i - j|, tokens. fp32. */
    public final Tensor distance;

    private int tokens;

    /** @param capacity the most tokens that will be seen */
    public AttentionStatistics(Backend backend, int heads, int capacity) {
        this.heads = heads;
        this.capacity = capacity;
        this.logSumExp = backend.allocate(DType.F32, heads, capacity);
        this.logDiagonal = backend.allocate(DType.F32, heads, capacity);
        this.columnSum = backend.allocate(DType.F64, heads, capacity);
        this.entropy = backend.allocate(DType.F32, heads, capacity);
        this.maximum = backend.allocate(DType.F32, heads, capacity);
        this.previous = backend.allocate(DType.F32, heads, capacity);
        this.distance = backend.allocate(DType.F32, heads, capacity);
    }

    public int heads() {
        return heads;
    }

    public int capacity() {
        return capacity;
    }

    /** Rows seen so far. */
    public int tokens() {
        return tokens;
    }

    /** A backend calls this after it has written count more rows. */
    public void grow(int count) {
        tokens += count;
    }

    /** Ready for another text. */
    public void clear() {
        tokens = 0;
    }

    @Override
    public void close() {
        for (Tensor tensor : new Tensor[] {
            logSumExp, logDiagonal, columnSum, entropy, maximum, previous, distance
        }) {
            tensor.buffer().close();
        }
    }
}
