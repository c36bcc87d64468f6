package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Optional;

/**
 * Statistics of attention maps, of one layer or of several: one value per head and token, O(tokens) memory per head, and
 * optionally an atlas of pooled maps. They accumulate over successive calls of attention on the same text (prefill, then
 * decoding): every row adds to the column sums and to the atlas.
 *
 * <p>Tensors are [heads, capacity] except for the sums. a_ij are the probabilities and s_ij the scores, scaled and capped, of query i
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

    /** a_ij of the newest row over all j so far, if {@link #hasRow}; undefined otherwise. fp32. */
    public final Tensor row;

    /** Sums over all rows so far of the vectors above, for {@link Backend#snapshot}. fp64 [heads, RowSums.COUNT]. */
    public final Tensor sums;

    private final Optional<AttentionAtlas> atlas;
    private int tokens;
    private int newTokens;

    /** Without an atlas. */
    public AttentionStatistics(Backend backend, int heads, int capacity) {
        this(backend, heads, capacity, Optional.empty());
    }

    /** @param capacity maximum number of tokens */
    public AttentionStatistics(Backend backend, int heads, int capacity, Optional<AtlasSpec> atlas) {
        this.heads = heads;
        this.capacity = capacity;
        this.logSumExp = backend.allocate(DType.F32, heads, capacity);
        this.logDiagonal = backend.allocate(DType.F32, heads, capacity);
        this.columnSum = backend.allocate(DType.F64, heads, capacity);
        this.entropy = backend.allocate(DType.F32, heads, capacity);
        this.maximum = backend.allocate(DType.F32, heads, capacity);
        this.previous = backend.allocate(DType.F32, heads, capacity);
        this.distance = backend.allocate(DType.F32, heads, capacity);
        this.row = backend.allocate(DType.F32, heads, capacity);
        this.sums = backend.allocate(DType.F64, heads, RowSums.COUNT);
        this.atlas = atlas.map(spec -> new AttentionAtlas(backend, heads, spec));
    }

    private AttentionStatistics(AttentionStatistics all, int first, int heads) {
        this.heads = heads;
        this.capacity = all.capacity;
        this.logSumExp = all.logSumExp.rows(first, heads);
        this.logDiagonal = all.logDiagonal.rows(first, heads);
        this.columnSum = all.columnSum.rows(first, heads);
        this.entropy = all.entropy.rows(first, heads);
        this.maximum = all.maximum.rows(first, heads);
        this.previous = all.previous.rows(first, heads);
        this.distance = all.distance.rows(first, heads);
        this.row = all.row.rows(first, heads);
        this.sums = all.sums.rows(first, heads);
        this.atlas = all.atlas.map(whole -> whole.heads(first, heads));
    }

    /**
     * Empty statistics of some of these heads, such as those of one layer. They share their memory with these and are
     * closed with them, but count their rows themselves.
     */
    public AttentionStatistics heads(int first, int count) {
        return new AttentionStatistics(this, first, count);
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

    /** Pooled maps, if they are collected. */
    public Optional<AttentionAtlas> atlas() {
        return atlas;
    }

    /** Whether the last call of attention had one query, so that {@link #row} holds its probabilities. */
    public boolean hasRow() {
        return newTokens == 1;
    }

    /**
     * The first row of cells of the atlas that the last call of attention changed: 0 if it changed the number of tokens
     * per cell.
     *
     * @throws java.util.NoSuchElementException if there is no atlas
     */
    public int firstChangedRow() {
        AtlasSpec spec = atlas.orElseThrow().spec;
        int bin = spec.bin(tokens);
        int before = tokens - newTokens;
        return spec.bin(before) == bin ? before / bin : 0;
    }

    /** Called after count more rows have been written: by a backend, or for several layers by their owner. */
    public void grow(int count) {
        tokens += count;
        newTokens = count;
    }

    /** Resets the number of rows to 0, for another text. */
    public void clear() {
        tokens = 0;
        newTokens = 0;
    }

    @Override
    public void close() {
        for (Tensor tensor : new Tensor[] {
            logSumExp, logDiagonal, columnSum, entropy, maximum, previous, distance, row, sums
        }) {
            tensor.buffer().close();
        }
        atlas.ifPresent(AttentionAtlas::close);
    }
}
