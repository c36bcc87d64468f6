package headscope.backend.cpu;

import headscope.backend.AttentionSpec;
import java.lang.foreign.MemorySegment;

/** Scores, then probabilities [rows, stride], of consecutive query rows of a head and of keys firstKey to endKey - 1. */
final class AttentionBlock {
    /** Floats in a block: 512 KiB, which fit into a core's second-level cache. */
    private static final int FLOATS = 128 * 1024;
    private static final int MAX_ROWS = 64;
    private static final int MIN_ROWS = 16;
    /** Blocks of at most this many keys are multiplied by {@link TileProduct}. */
    static final int MAX_TILE_KEYS = 128;
    private static final int GROUP = 16;

    final SoftmaxRow row = new SoftmaxRow();
    MemorySegment scores = MemorySegment.NULL;
    int firstToken;
    int rows;
    int firstKey;
    int endKey;
    int stride;

    private final Scratch scratch;
    /** Transposed keys [headDim, stride]. */
    private MemorySegment keys = MemorySegment.NULL;

    AttentionBlock(Scratch scratch) {
        this.scratch = scratch;
    }

    int width() {
        return endKey - firstKey;
    }

    interface RowUse {
        void row(int token, long index);
    }

    /** Passes on each row's token and the index of its first element. */
    void eachRow(RowUse use) {
        for (int r = 0; r < rows; r++) {
            use.row(firstToken + r, (long) r * stride);
        }
    }

    Matrix matrix() {
        return new Matrix(scores, 0, stride);
    }

    /** Takes as many of the rows from to to - 1 of a text's queries as fit. */
    void shape(AttentionLayout layout, int from, int to) {
        AttentionSpec spec = layout.spec();
        firstToken = layout.firstToken() + from;
        firstKey = spec.firstKey(firstToken);
        int widest = spec.endKey(firstToken + Math.min(to - from, MAX_ROWS) - 1, layout.keys()) - firstKey;
        rows = Math.min(to - from, Math.clamp(FLOATS / widest, MIN_ROWS, MAX_ROWS));
        endKey = spec.endKey(firstToken + rows - 1, layout.keys());
        // Strides that are multiples of a power of two would map equal columns of all rows to one cache set.
        stride = Simd.roundUp(width()) + Simd.WIDTH;
        scores = scratch.grow(scores, (long) rows * stride * Float.BYTES);
    }

    /** Computes the scores of the rows of q [rows, headDim], of which the first is row from of the text's queries. */
    void score(AttentionLayout layout, Matrix q, Matrix k) {
        AttentionSpec spec = layout.spec();
        if (isLarge()) {
            OpenBlas.multiply(rows, width(), spec.headDim(), spec.scale(), q, k.transpose(), 0, matrix());
            return;
        }
        keys = scratch.grow(keys, (long) spec.headDim() * stride * Float.BYTES);
        TileProduct.transpose(width(), spec.headDim(), k, keys, stride);
        Matrix columns = new Matrix(keys, 0, stride);
        eachGroup(layout, (row, count, visible) -> TileProduct.multiply(
                count, Simd.roundUp(visible), spec.headDim(), spec.scale(), q.fromRow(row), columns, false,
                matrix().fromRow(row)));
    }

    /** out [rows, headDim] = probabilities times v [width, headDim]. */
    void multiply(AttentionLayout layout, Matrix v, Matrix out) {
        int headDim = layout.spec().headDim();
        if (isLarge()) {
            OpenBlas.multiply(rows, headDim, width(), 1, matrix(), v, 0, out);
            return;
        }
        eachGroup(layout, (row, count, visible) ->
                TileProduct.multiply(count, headDim, visible, 1, matrix().fromRow(row), v, false, out.fromRow(row)));
    }

    private boolean isLarge() {
        return rows == 1 || width() > MAX_TILE_KEYS;
    }

    private interface Group {
        /** @param visible keys of the block that the last of these rows sees, or a row before it */
        void run(int row, int count, int visible);
    }

    /** Rows in groups: in causal attention, the first see few keys. */
    private void eachGroup(AttentionLayout layout, Group use) {
        for (int row = 0; row < rows; row += GROUP) {
            int count = Math.min(GROUP, rows - row);
            use.run(row, count, layout.spec().endKey(firstToken + row + count - 1, layout.keys()) - firstKey);
        }
    }
}
