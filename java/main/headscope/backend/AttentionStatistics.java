package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
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

    /**
     * Of the newest row of a text that {@link DecodingTexts} continue, whose s_ij {@link #row} holds in units of log 2: lse_i
     * in these units, and the first visible key. fp32 [texts * heads, 2].
     */
    public final Tensor newest;

    private final Optional<AttentionAtlas> atlas;
    /** The tensors, which views share. */
    private final List<Tensor> owned;

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

    /**
     * A capacity for at least this many tokens with which {@link #heads} and {@link #texts}, such as those of a layer, begin at
     * multiples of 16 bytes: Hopper copies boxes of vectors from there on.
     */
    public static int aligned(int tokens) {
        return Math.multiplyExact(Math.ceilDiv(tokens, 4), 4);
    }

    /** @param capacities maximum number of tokens of each text */
    public AttentionStatistics(Backend backend, int heads, int[] capacities, Optional<AtlasSpec> atlas) {
        long all = Arrays.stream(capacities).asLongStream().sum();
        long[] shape = capacities.length == 1 ? new long[] {heads, all} : new long[] {heads * all};
        this.heads = heads;
        this.capacities = capacities.clone();
        this.offsets = offsets(heads, capacities);
        this.rows = Arrays.stream(capacities).mapToObj(text -> new Rows()).toArray(Rows[]::new);
        List<Tensor> allocated = new ArrayList<>();
        Function<DType, Tensor> vector = type -> kept(allocated, backend.allocate(type, shape));
        long allHeads = (long) capacities.length * heads;
        try {
            this.logSumExp = vector.apply(DType.F32);
            this.logDiagonal = vector.apply(DType.F32);
            this.columnSum = vector.apply(DType.F64);
            this.entropy = vector.apply(DType.F32);
            this.maximum = vector.apply(DType.F32);
            this.previous = vector.apply(DType.F32);
            this.distance = vector.apply(DType.F32);
            this.row = vector.apply(DType.F32);
            this.sums = kept(allocated, backend.allocate(DType.F64, allHeads, RowSums.COUNT));
            this.newest = kept(allocated, backend.allocate(DType.F32, allHeads, 2));
            this.atlas = atlas.map(spec -> new AttentionAtlas(backend, Math.toIntExact(allHeads), spec));
        } catch (Throwable failure) {
            allocated.forEach(tensor -> tensor.buffer().close());
            throw failure;
        }
        this.owned = List.copyOf(allocated);
    }

    private static Tensor kept(List<Tensor> all, Tensor tensor) {
        all.add(tensor);
        return tensor;
    }

    /** A view: the vectors from an element on, and the sums and cells from a head on; heads are those of a text. */
    private AttentionStatistics(
            AttentionStatistics all, UnaryOperator<Tensor> vector, int firstHead, int heads, int[] capacities, Rows[] rows) {
        this.heads = heads;
        this.capacities = capacities;
        this.offsets = offsets(heads, capacities);
        this.rows = rows;
        this.logSumExp = vector.apply(all.logSumExp);
        this.logDiagonal = vector.apply(all.logDiagonal);
        this.columnSum = vector.apply(all.columnSum);
        this.entropy = vector.apply(all.entropy);
        this.maximum = vector.apply(all.maximum);
        this.previous = vector.apply(all.previous);
        this.distance = vector.apply(all.distance);
        this.row = vector.apply(all.row);
        int count = capacities.length * heads;
        this.sums = all.sums.rows(firstHead, count);
        this.newest = all.newest.rows(firstHead, count);
        this.atlas = all.atlas.map(whole -> whole.heads(firstHead, count));
        this.owned = all.owned;
    }

    /**
     * Empty statistics of some heads of one text, such as those of one layer. They share their memory with these and are
     * closed with them, but count their rows themselves.
     */
    public AttentionStatistics heads(int first, int count) {
        requireOne();
        return new AttentionStatistics(
                this, vector -> vector.rows(first, count), first, count, capacities, new Rows[] {new Rows()});
    }

    /** Statistics of one text: a view, which is closed with these. */
    public AttentionStatistics text(int index) {
        if (capacities.length == 1 && index == 0) {
            return this;
        }
        return new AttentionStatistics(
                this,
                vector -> vector.rows(offset(index), (long) heads * capacities[index]).as(heads, capacities[index]),
                index * heads, heads, new int[] {capacities[index]}, new Rows[] {rows[index]});
    }

    /** Statistics of several texts: a view, which is closed with these. */
    public AttentionStatistics texts(int first, int count) {
        if (count == 1) {
            return text(first);
        }
        int[] some = Arrays.copyOfRange(capacities, first, first + count);
        return new AttentionStatistics(
                this,
                vector -> vector.rows(offset(first), heads * Arrays.stream(some).asLongStream().sum()),
                first * heads, heads, some, Arrays.copyOfRange(rows, first, first + count));
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

    /** Called after {@link DecodingTexts} have added a row to these texts: {@link #row} does not hold its probabilities. */
    public void growWithoutRow(int[] texts) {
        for (int text : texts) {
            rows[text].all++;
            rows[text].newest = 0;
        }
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
        owned.forEach(tensor -> tensor.buffer().close());
        atlas.ifPresent(AttentionAtlas::close);
    }
}
