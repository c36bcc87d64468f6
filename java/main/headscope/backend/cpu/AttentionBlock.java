package headscope.backend.cpu;

import headscope.backend.AttentionSpec;
import java.lang.foreign.MemorySegment;

/** Scores, then probabilities [rows, stride], of consecutive query rows of a head and of keys firstKey to endKey - 1. */
final class AttentionBlock {
    /** Floats in a block, unless MIN_ROWS rows are more: 512 KiB, which fit into a core's second-level cache. */
    private static final int FLOATS = 128 * 1024;
    private static final int MAX_ROWS = 64;
    private static final int MIN_ROWS = 16;

    final SoftmaxRow row = new SoftmaxRow();
    MemorySegment scores = MemorySegment.NULL;
    int firstToken;
    int rows;
    int firstKey;
    int endKey;
    int stride;

    /** Whether the text has no other query, as in decoding: OpenBLAS takes a microsecond to prepare a product of matrices. */
    private boolean single;
    private final Scratch scratch;

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
        single = layout.queries() == 1;
        firstToken = layout.firstToken() + from;
        firstKey = spec.firstKey(firstToken);
        int widest = spec.endKey(firstToken + Math.min(to - from, MAX_ROWS) - 1, layout.keys()) - firstKey;
        rows = Math.min(to - from, Math.clamp(FLOATS / widest, MIN_ROWS, MAX_ROWS));
        endKey = spec.endKey(firstToken + rows - 1, layout.keys());
        // Strides that are multiples of a power of two would map equal columns of all rows to one cache set.
        stride = Simd.roundUp(width()) + Simd.WIDTH;
        scores = scratch.grow(scores, (long) rows * stride * Float.BYTES);
    }

    /** Computes the scores of the rows of q [rows, headDim] and of k [width, headDim]. */
    void score(AttentionSpec spec, Matrix q, Matrix k) {
        if (single) {
            OpenBlas.multiplyVector(width(), spec.headDim(), spec.scale(), k, q, matrix());
        } else {
            OpenBlas.multiply(rows, width(), spec.headDim(), spec.scale(), q, k.transpose(), 0, matrix());
        }
    }

    /** out [rows, headDim] = probabilities times v [width, headDim]. */
    void multiply(AttentionSpec spec, Matrix v, Matrix out) {
        if (single) {
            OpenBlas.multiplyVector(width(), spec.headDim(), 1, v.transpose(), matrix(), out);
        } else {
            OpenBlas.multiply(rows, spec.headDim(), width(), 1, matrix(), v, 0, out);
        }
    }
}
