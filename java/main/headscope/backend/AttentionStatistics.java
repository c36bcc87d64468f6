package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Statistics of attention maps, of one layer or of several, for one text or for the texts of a batch: one value per head
 * and token, O(tokens) memory per head, and optionally an atlas of pooled maps. They accumulate over successive calls of
 * attention on the same text (prefill, then decoding): every row adds to the column sums and to the atlas.
 *
 * <p>Tensors of one text are [heads, capacity] except for the sums. Those of several texts are flat: one text after the
 * other, each of them [heads, capacity of the text]; {@link #text} is a view of one. a_ij are the probabilities and s_ij
 * the scores, scaled and capped, of query i and key j.
 */
public final class AttentionStatistics implements AutoCloseable {
    private final int heads;
    /** Tokens for which each text has room. */
    private final int[] capacities;
    /** Where each text's values begin in the flat tensors. */
    private final long[] offsets;
    private final Rows[] rows;

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

    /** Sums over all rows so far of the vectors above, for {@link Backend#snapshot}. fp64 [texts * heads, RowSums.COUNT]. */
    public final Tensor sums;

    private final Optional<AttentionAtlas> atlas;

    /** How many rows of a text there are. */
    private static final class Rows {
        int all;
        int newest;
    }

    /** Of one text, without an atlas. */
    public AttentionStatistics(Backend backend, int heads, int capacity) {
        this(backend, heads, capacity, Optional.empty());
    }

    /** @param capacity maximum number of tokens */
    public AttentionStatistics(Backend backend, int heads, int capacity, Optional<AtlasSpec> atlas) {
        this(backend, heads, new int[] {capacity}, atlas);
    }

    /** @param capacities maximum number of tokens of each text */
    public AttentionStatistics(Backend backend, int heads, int[] capacities, Optional<AtlasSpec> atlas) {
        long all = Arrays.stream(capacities).asLongStream().sum();
        long[] shape = capacities.length == 1 ? new long[] {heads, all} : new long[] {heads * all};
        this.heads = heads;
        this.capacities = capacities.clone();
        this.offsets = offsets(heads, capacities);
        this.rows = Arrays.stream(capacities).mapToObj(text -> new Rows()).toArray(Rows[]::new);
        this.logSumExp = backend.allocate(DType.F32, shape);
        this.logDiagonal = backend.allocate(DType.F32, shape);
        this.columnSum = backend.allocate(DType.F64, shape);
        this.entropy = backend.allocate(DType.F32, shape);
        this.maximum = backend.allocate(DType.F32, shape);
        this.previous = backend.allocate(DType.F32, shape);
        this.distance = backend.allocate(DType.F32, shape);
        this.row = backend.allocate(DType.F32, shape);
        this.sums = backend.allocate(DType.F64, (long) capacities.length * heads, RowSums.COUNT);
        this.atlas = atlas.map(spec -> new AttentionAtlas(backend, capacities.length * heads, spec));
    }

    /** A view: the vectors from an element on, and the sums and cells from a head on. */
    private AttentionStatistics(
            AttentionStatistics all, UnaryOperator<Tensor> vector, int firstHead, int heads, int capacity, Rows rows) {
        this.heads = heads;
        this.capacities = new int[] {capacity};
        this.offsets = new long[1];
        this.rows = new Rows[] {rows};
        this.logSumExp = vector.apply(all.logSumExp);
        this.logDiagonal = vector.apply(all.logDiagonal);
        this.columnSum = vector.apply(all.columnSum);
        this.entropy = vector.apply(all.entropy);
        this.maximum = vector.apply(all.maximum);
        this.previous = vector.apply(all.previous);
        this.distance = vector.apply(all.distance);
        this.row = vector.apply(all.row);
        this.sums = all.sums.rows(firstHead, heads);
        this.atlas = all.atlas.map(whole -> whole.heads(firstHead, heads));
    }

    /**
     * Empty statistics of some heads of one text, such as those of one layer. They share their memory with these and are
     * closed with them, but count their rows themselves.
     */
    public AttentionStatistics heads(int first, int count) {
        requireOne();
        return new AttentionStatistics(
                this, vector -> vector.rows(first, count), first, count, capacities[0], new Rows());
    }

    /** Statistics of one text: a view, which is closed with these. */
    public AttentionStatistics text(int index) {
        if (capacities.length == 1 && index == 0) {
            return this;
        }
        return new AttentionStatistics(
                this,
                vector -> vector.rows(offset(index), (long) heads * capacities[index]).as(heads, capacities[index]),
                index * heads, heads, capacities[index], rows[index]);
    }

    /** Number of texts. */
    public int texts() {
        return capacities.length;
    }

    /** Where a text's values begin in the flat tensors. */
    public long offset(int text) {
        return offsets[text];
    }

    private static long[] offsets(int heads, int[] capacities) {
        long[] offsets = new long[capacities.length];
        for (int i = 1; i < offsets.length; i++) {
            offsets[i] = offsets[i - 1] + (long) heads * capacities[i - 1];
        }
        return offsets;
    }

    /** Maximum number of tokens of a text. */
    public int capacity(int text) {
        return capacities[text];
    }

    private void requireOne() {
        if (capacities.length != 1) {
            throw new IllegalStateException("these are statistics of %d texts".formatted(capacities.length));
        }
    }

    public int heads() {
        return heads;
    }

    /** Maximum number of tokens of the only text. */
    public int capacity() {
        requireOne();
        return capacities[0];
    }

    /** Number of rows so far of the only text. */
    public int tokens() {
        requireOne();
        return rows[0].all;
    }

    /** Pooled maps, if they are collected. */
    public Optional<AttentionAtlas> atlas() {
        return atlas;
    }

    /** Whether the last call of attention had one query of the only text, so that {@link #row} holds its probabilities. */
    public boolean hasRow() {
        requireOne();
        return rows[0].newest == 1;
    }

    /**
     * The first row of cells of the only text's atlas that the last call of attention changed: 0 if it changed the number
     * of tokens per cell.
     *
     * @throws java.util.NoSuchElementException if there is no atlas
     */
    public int firstChangedRow() {
        requireOne();
        AtlasSpec spec = atlas.orElseThrow().spec;
        int bin = spec.bin(tokens());
        int before = tokens() - rows[0].newest;
        return spec.bin(before) == bin ? before / bin : 0;
    }

    /** Called after count more rows of the only text have been written: for several layers by their owner. */
    public void grow(int count) {
        requireOne();
        grow(0, count);
    }

    /** Called by a backend after the rows of these texts have been written. */
    public void grow(Packing packing) {
        packing.texts().forEach(text -> grow(text.slot(), text.queries()));
    }

    private void grow(int text, int count) {
        rows[text].all += count;
        rows[text].newest = count;
    }

    /** Resets the number of rows to 0, for other texts. */
    public void clear() {
        for (Rows text : rows) {
            text.all = 0;
            text.newest = 0;
        }
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
