package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Softmax of one query row in place, and the row's statistics. fp32, in three passes over a row in the first-level
 * cache. Entropy is log(total) - sum e t / total with t = score - maximum <= 0 and e = exp t, which stays exact for
 * large scores.
 *
 * <p>Each pass has its own method: JDK 25 boxes vectors in a method that contains all three.
 */
final class SoftmaxRow {
    /** A score whose probability is 0; finite, because 0 * -infinity would make the entropy NaN. */
    private static final float HIDDEN = -1e30f;

    private static final FloatVector HIDDEN_VECTOR = FloatVector.broadcast(Simd.FLOATS, HIDDEN);
    private static final FloatVector COUNT = (FloatVector) Simd.FLOATS.broadcast(0).addIndex(1);

    float logSumExp;
    float logDiagonal;
    float entropy;
    float maximum;
    float previous;
    float distance;
    private float sum;
    private float moment;

    /**
     * Replaces scores by probabilities.
     *
     * @param row      index of the row's first element; at least one register's width follows the row
     * @param from     first visible column; columns outside [from, to) become 0
     * @param width    number of columns
     * @param softCap  0 for none
     * @param sink     the sink's score, or negative infinity
     * @param diagonal column of the query's own token
     */
    void softmax(
            MemorySegment scores, long row, int from, int to, int width, float softCap, float sink, int diagonal) {
        Simd.store(HIDDEN_VECTOR, scores, row + to);
        float peak = softCap > 0 ? capAndPeak(scores, row, from, to, softCap) : peak(scores, row, from, to);
        float own = scores.getAtIndex(JAVA_FLOAT, row + diagonal);
        float before = diagonal > from ? scores.getAtIndex(JAVA_FLOAT, row + diagonal - 1) : Float.NEGATIVE_INFINITY;
        float shift = Math.max(peak, sink);

        exponentiate(scores, row, from, to, shift);
        float total = sum + (float) Math.exp(sink - shift);

        float inverse = 1 / total;
        normalise(scores, row, from, to, inverse, diagonal);
        clear(scores, row + to, row + Math.max(width, from + Simd.roundUp(to - from)));
        for (int column = 0; column < from; column++) {
            scores.setAtIndex(JAVA_FLOAT, row + column, 0);
        }

        float logTotal = (float) Math.log(total);
        logSumExp = shift + logTotal;
        logDiagonal = own - shift - logTotal;
        entropy = logTotal * (sum * inverse) - moment * inverse;
        maximum = (float) Math.exp(peak - shift) * inverse;
        previous = (float) Math.exp(before - shift) * inverse;
    }

    /** Replaces scores by e = exp(score - shift); computes the sums of e and of e * (score - shift). */
    private void exponentiate(MemorySegment scores, long row, int from, int to, float shift) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        FloatVector moments = FloatVector.zero(Simd.FLOATS);
        for (int column = from; column < to; column += Simd.WIDTH) {
            FloatVector below = Simd.load(scores, row + column).sub(shift);
            FloatVector exponentials = VectorMath.exp(below);
            Simd.store(exponentials, scores, row + column);
            sums = sums.add(exponentials);
            moments = exponentials.fma(below, moments);
        }
        sum = VectorMath.sum(sums);
        moment = VectorMath.sum(moments);
    }

    private void normalise(MemorySegment scores, long row, int from, int to, float inverse, int diagonal) {
        FloatVector distances = FloatVector.zero(Simd.FLOATS);
        for (int column = from; column < to; column += Simd.WIDTH) {
            FloatVector probs = Simd.load(scores, row + column).mul(inverse);
            Simd.store(probs, scores, row + column);
            distances = COUNT.add(column - diagonal).abs().fma(probs, distances);
        }
        distance = VectorMath.sum(distances);
    }

    /** Sets elements to 0, and at most one register's width after the last. */
    private static void clear(MemorySegment scores, long from, long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            Simd.store(VectorMath.ZERO, scores, i);
        }
    }

    private static float peak(MemorySegment scores, long row, int from, int to) {
        FloatVector peaks = FloatVector.broadcast(Simd.FLOATS, HIDDEN);
        for (int column = from; column < to; column += Simd.WIDTH) {
            peaks = peaks.max(Simd.load(scores, row + column));
        }
        return peaks.reduceLanes(VectorOperators.MAX);
    }

    private static float capAndPeak(MemorySegment scores, long row, int from, int to, float cap) {
        FloatVector peaks = FloatVector.broadcast(Simd.FLOATS, HIDDEN);
        for (int column = from; column < to; column += Simd.WIDTH) {
            FloatVector capped = VectorMath.tanh(Simd.load(scores, row + column).div(cap)).mul(cap);
            Simd.store(capped, scores, row + column);
            peaks = peaks.max(capped);
        }
        Simd.store(HIDDEN_VECTOR, scores, row + to);
        return peaks.reduceLanes(VectorOperators.MAX);
    }
}
