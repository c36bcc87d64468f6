package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSpec;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * A tile of query rows and keys in attention's backward pass: three matrices [rows, stride] that fit into a core's
 * second-level cache. Each loop over a row has its own method, for the reason given in {@link SoftmaxRow}.
 */
final class AttentionTile {
    static final int MAX_ROWS = 64;
    static final int MAX_KEYS = 1024;

    /** Scores, then probabilities. */
    MemorySegment probs = MemorySegment.NULL;
    /** Gradients of probabilities, then of scaled scores. */
    MemorySegment gradients = MemorySegment.NULL;
    /** |p dL/dp|. */
    MemorySegment saliency = MemorySegment.NULL;
    /** Dot product of output and output gradient of each row. */
    final float[] dots = new float[MAX_ROWS];

    /** Position of the first row in the text. */
    int firstToken;
    int rows;
    int firstKey;
    int width;
    int stride;

    private final Scratch scratch;

    AttentionTile(Scratch scratch) {
        this.scratch = scratch;
    }

    void rows(int firstToken, int rows) {
        this.firstToken = firstToken;
        this.rows = rows;
    }

    void keys(int firstKey, int width) {
        this.firstKey = firstKey;
        this.width = width;
        // Strides that are multiples of a power of two would map equal columns of all rows to one cache set.
        this.stride = Simd.roundUp(width) + Simd.WIDTH;
        long bytes = (long) rows * stride * Float.BYTES;
        this.probs = scratch.grow(probs, bytes);
        this.gradients = scratch.grow(gradients, bytes);
        this.saliency = scratch.grow(saliency, bytes);
    }

    /** One of the three matrices. */
    Matrix matrix(MemorySegment memory) {
        return new Matrix(memory, 0, stride);
    }

    /**
     * Scores, and gradients of probabilities.
     *
     * @param q [rows, headDim], as the gradient of the output
     * @param k [width, headDim], as v
     */
    void score(AttentionSpec spec, Matrix q, Matrix gradient, Matrix k, Matrix v) {
        OpenBlas.multiply(rows, width, spec.headDim(), spec.scale(), q, k.transpose(), 0, matrix(probs));
        OpenBlas.multiply(rows, width, spec.headDim(), 1, gradient, v.transpose(), 0, matrix(gradients));
    }

    /**
     * Gradients of queries, keys and values from those of scores; those of keys and values are added.
     *
     * @param add whether those of queries are added, too
     */
    void multiply(
            AttentionSpec spec, Matrix q, Matrix gradient, Matrix k, boolean add, Matrix qGradient, Matrix kGradient,
            Matrix vGradient) {
        int headDim = spec.headDim();
        OpenBlas.multiply(rows, headDim, width, spec.scale(), matrix(gradients), k, add ? 1 : 0, qGradient);
        OpenBlas.multiply(width, headDim, rows, spec.scale(), matrix(gradients).transpose(), q, 1, kGradient);
        OpenBlas.multiply(width, headDim, rows, 1, matrix(probs).transpose(), gradient, 1, vGradient);
    }

    /** dots[r] = dot product of count elements of x and of y, both starting at index first. */
    void dot(int r, MemorySegment x, MemorySegment y, long first, int count) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (int d = 0; d < count; d += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(d, count);
            sums = Simd.load(x, first + d, inside).fma(Simd.load(y, first + d, inside), sums);
        }
        dots[r] = VectorMath.sum(sums);
    }

    /**
     * Replaces the scores of row r by probabilities, and the gradients of probabilities by those of scores.
     *
     * @param from    first visible column; columns outside [from, to) become 0 in all three matrices
     * @param softCap 0 for none
     */
    void differentiate(int r, int from, int to, float logSumExp, float softCap) {
        long row = (long) r * stride;
        if (softCap > 0) {
            cap(row, from, to, softCap);
            softmax(row, from, to, logSumExp);
            cappedScoreGradients(row, from, to, dots[r]);
        } else {
            softmax(row, from, to, logSumExp);
            scoreGradients(row, from, to, dots[r]);
        }
        clear(row, 0, from);
        clear(row, to, Math.max(width, from + Simd.roundUp(to - from)));
    }

    /** Stores the derivatives 1 - (s / cap)^2 in the saliency matrix until {@link #cappedScoreGradients} reads them. */
    private void cap(long row, int from, int to, float cap) {
        FloatVector one = FloatVector.broadcast(Simd.FLOATS, 1);
        for (int column = from; column < to; column += Simd.WIDTH) {
            FloatVector share = VectorMath.tanh(Simd.load(probs, row + column).div(cap));
            Simd.store(share.mul(cap), probs, row + column);
            Simd.store(one.sub(share.mul(share)), saliency, row + column);
        }
    }

    /** p = exp(s - lse). */
    private void softmax(long row, int from, int to, float logSumExp) {
        for (int column = from; column < to; column += Simd.WIDTH) {
            Simd.store(VectorMath.exp(Simd.load(probs, row + column).sub(logSumExp)), probs, row + column);
        }
    }

    /** |p dL/dp| and dL/ds = p (dL/dp - g . o). */
    private void scoreGradients(long row, int from, int to, float dot) {
        for (int column = from; column < to; column += Simd.WIDTH) {
            FloatVector p = Simd.load(probs, row + column);
            FloatVector gradient = Simd.load(gradients, row + column);
            Simd.store(p.mul(gradient).abs(), saliency, row + column);
            Simd.store(gradient.sub(dot).mul(p), gradients, row + column);
        }
    }

    private void cappedScoreGradients(long row, int from, int to, float dot) {
        for (int column = from; column < to; column += Simd.WIDTH) {
            FloatVector p = Simd.load(probs, row + column);
            FloatVector gradient = Simd.load(gradients, row + column);
            FloatVector slope = Simd.load(saliency, row + column);
            Simd.store(p.mul(gradient).abs(), saliency, row + column);
            Simd.store(gradient.sub(dot).mul(p).mul(slope), gradients, row + column);
        }
    }

    /** Sets row r's saliency to 0 in the first columns; count may be negative or above the width. */
    void clearSaliency(int r, int count) {
        for (int column = 0; column < Math.min(count, width); column++) {
            saliency.setAtIndex(JAVA_FLOAT, (long) r * stride + column, 0);
        }
    }

    /** Sum of row r's saliency. */
    float sum(int r) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        long row = (long) r * stride;
        for (int column = 0; column < width; column += Simd.WIDTH) {
            sums = sums.add(Simd.load(saliency, row + column, Simd.inside(column, width)));
        }
        return VectorMath.sum(sums);
    }

    /** Maximum of row r's saliency. */
    float peak(int r) {
        FloatVector peaks = FloatVector.zero(Simd.FLOATS);
        long row = (long) r * stride;
        for (int column = 0; column < width; column += Simd.WIDTH) {
            peaks = peaks.max(Simd.load(saliency, row + column, Simd.inside(column, width)));
        }
        return peaks.reduceLanes(VectorOperators.MAX);
    }

    private void clear(long row, int from, int to) {
        for (long i = row + from; i < row + to; i++) {
            probs.setAtIndex(JAVA_FLOAT, i, 0);
            gradients.setAtIndex(JAVA_FLOAT, i, 0);
            saliency.setAtIndex(JAVA_FLOAT, i, 0);
        }
    }
}
