package headscope.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Functions of vectors that give the same bits in interpreted and compiled code. The JDK's EXP, TANH and
 * reduceLanes(ADD) do not: with them, results would depend on the timing of the JIT compiler.
 */
final class VectorMath {
    static final FloatVector ZERO = broadcast(0);
    static final FloatVector ONE = broadcast(1);
    static final FloatVector THREE = broadcast(3);

    // Vectors instead of numbers, because every broadcast uses up some of the compiler's inlining budget.
    private static final FloatVector LOG2_E = broadcast(1 / Math.log(2));
    /** -log 2 in two parts; products of the first with integers below 2^9 are exact. */
    private static final FloatVector MINUS_LOG_2_HIGH = broadcast(-0.693359375);
    private static final FloatVector MINUS_LOG_2_LOW = broadcast(0.693359375 - Math.log(2));
    /** 1.5 * 2^23 + 127: adding it rounds to an integer and leaves the biased exponent in the lowest bits. */
    private static final FloatVector ROUNDER = broadcast(12_582_912 + 127);
    private static final int EXPONENT_SHIFT = 23;
    /** Below the first, exp is set to 0 (it is less than 1.2e-38); above the second, the exponent would overflow. */
    private static final FloatVector MIN_EXPONENT = broadcast(-87.3);
    private static final FloatVector MAX_EXPONENT = broadcast(88);
    /** For smaller |x| tanh is computed from its series: 1 - 2 / (exp 2x + 1) suffers from cancellation. */
    private static final FloatVector SMALL = broadcast(0.25);

    private static final FloatVector HALF = broadcast(1 / 2.0);
    private static final FloatVector TWO = broadcast(2);
    private static final FloatVector SIXTH = broadcast(1 / 6.0);
    private static final FloatVector A_24TH = broadcast(1 / 24.0);
    private static final FloatVector A_120TH = broadcast(1 / 120.0);
    private static final FloatVector A_720TH = broadcast(1 / 720.0);
    private static final FloatVector A_5040TH = broadcast(1 / 5040.0);
    private static final VectorShuffle<Float> EIGHT_ON = on(8);
    private static final VectorShuffle<Float> FOUR_ON = on(4);
    private static final VectorShuffle<Float> TWO_ON = on(2);
    private static final VectorShuffle<Float> ONE_ON = on(1);
    private static final FloatVector TANH_3 = broadcast(-1 / 3.0);
    private static final FloatVector TANH_5 = broadcast(2 / 15.0);
    private static final FloatVector TANH_7 = broadcast(-17 / 315.0);
    private static final FloatVector TANH_9 = broadcast(62 / 2835.0);

    private VectorMath() {}

    /** exp x; relative error below 2e-7. */
    static FloatVector exp(FloatVector x) {
        return expAbove0(x).blend(ZERO, x.compare(VectorOperators.LT, MIN_EXPONENT));
    }

    /** As {@link #exp}, but never 0: 2^n exp r with |r| <= log 2 / 2, and exp r by its series up to r^7. */
    static FloatVector expAbove0(FloatVector x) {
        FloatVector inside = x.max(MIN_EXPONENT).min(MAX_EXPONENT);
        FloatVector shifted = inside.fma(LOG2_E, ROUNDER);
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(MINUS_LOG_2_LOW, n.fma(MINUS_LOG_2_HIGH, inside));
        FloatVector series = r.fma(A_5040TH, A_720TH)
                .fma(r, A_120TH)
                .fma(r, A_24TH)
                .fma(r, SIXTH)
                .fma(r, HALF)
                .fma(r, ONE)
                .fma(r, ONE);
        FloatVector power = shifted.reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
                .reinterpretAsFloats();
        return series.mul(power);
    }

    /** tanh x; relative error below 1e-6. */
    static FloatVector tanh(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector series = square.fma(TANH_9, TANH_7)
                .fma(square, TANH_5)
                .fma(square, TANH_3)
                .mul(square)
                .fma(x, x);
        FloatVector far = ONE.sub(TWO.div(expAbove0(x.add(x)).add(ONE)));
        return far.blend(series, x.abs().compare(VectorOperators.LT, SMALL));
    }

    /** The sum of all lanes, by pairwise halving. */
    static float sum(FloatVector x) {
        FloatVector sums = x;
        if (Simd.WIDTH > 8) {
            sums = sums.add(sums.rearrange(EIGHT_ON));
        }
        if (Simd.WIDTH > 4) {
            sums = sums.add(sums.rearrange(FOUR_ON));
        }
        if (Simd.WIDTH > 2) {
            sums = sums.add(sums.rearrange(TWO_ON));
        }
        sums = sums.add(sums.rearrange(ONE_ON));
        return sums.lane(0);
    }

    private static VectorShuffle<Float> on(int lanes) {
        return VectorShuffle.fromOp(Simd.FLOATS, lane -> (lane + lanes) % Simd.WIDTH);
    }

    private static FloatVector broadcast(double value) {
        return FloatVector.broadcast(Simd.FLOATS, (float) value);
    }
}
