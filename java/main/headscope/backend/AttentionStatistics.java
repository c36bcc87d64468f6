package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/**
 * Statistics of one layer's attention maps: one value per head and token, O(tokens) memory per head. They accumulate
 * over successive calls of attention on the same text (prefill, then decoding): every row adds to the column sums.
 *
 * <p>All tensors are [heads, capacity]. a_ij are the probabilities and s_ij the scores, scaled and capped, of query i
 * and key j.
 */
public final class AttentionStatistics implements AutoCloseable {
    private final int heads;
    private final int capacity;

    /** lse_i = log sum_j exp s_ij, including the sink. fp32. */
    public final Tensor logSumExp;

    /** log a_ii, computed as s_ii - lse_i without rounding to a probability. fp32. */
    public final Tensor logDiagonal;

    /** sum_i a_ij over all rows so far. fp64. */
    public final Tensor columnSum;

    /** - sum_j a_ij log a_ij, in nats. fp32. */
    public final Tensor entropy;

    /** max_j a_ij. fp32. */
    public final Tensor maximum;

    /** a_(i, i-1); 0 if token i - 1 does not exist or is hidden. fp32. */
    public final Tensor previous;

    /** sum_j a_ij |i - j|, in tokens. fp32. */
    public final Tensor distance;

    private int tokens;

    /** @param capacity maximum number of tokens */
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

    /** Number of rows so far. */
    public int tokens() {
        return tokens;
    }

    /** Called by a backend after it has written count more rows. */
    public void grow(int count) {
        tokens += count;
    }

    /** Resets the number of rows to 0, for another text. */
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
