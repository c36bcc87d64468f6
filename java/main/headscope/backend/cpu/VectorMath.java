package headscope.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions of whole registers whose every bit is the same in interpreted and compiled code. The JDK's own EXP, TANH
 * and reduceLanes(ADD) are not: a run would depend on when the compiler came.
 */
final class VectorMath {
    private static final float LOG2_E = (float) (1 / Math.log(2));
    /** log 2 in two parts; products of the first with whole numbers below 2^9 are exact. */
    private static final float LOG_2_HIGH = 0.693359375f;
    private static final float LOG_2_LOW = (float) (Math.log(2) - 0.693359375);
    /** 1.5 * 2^23: adding it rounds to a whole number, which then stands in the lowest bits. */
    private static final float ROUNDER = 12_582_912;
    private static final int ONE_BITS = Float.floatToRawIntBits(1);
    private static final int EXPONENT_SHIFT = 23;
    /** Below it exp is 0 here (truly under 1.2e-38), above the other it would overflow. */
    private static final float LEAST = -87.3f;
    private static final float MOST = 88;
    /** Below it tanh is taken from its series: 1 - 2 / (exp 2x + 1) loses digits. */
    private static final float SMALL = 0.25f;

    private VectorMath() {}

    /** exp x = 2^n exp r with |r| <= log 2 / 2; exp r by its series to r^7. Relative error below 2e-7. */
    static FloatVector exp(FloatVector x) {
        FloatVector inside = x.max(LEAST).min(MOST);
        FloatVector shifted = inside.fma(broadcast(LOG2_E), broadcast(ROUNDER));
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(broadcast(-LOG_2_LOW), n.fma(broadcast(-LOG_2_HIGH), inside));
        FloatVector series = r.fma(broadcast(1 / 5040f), broadcast(1 / 720f))
                .fma(r, broadcast(1 / 120f))
                .fma(r, broadcast(1 / 24f))
                .fma(r, broadcast(1 / 6f))
                .fma(r, broadcast(0.5f))
                .fma(r, broadcast(1))
                .fma(r, broadcast(1));
        FloatVector power = shifted.reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
                .add(ONE_BITS)
                .reinterpretAsFloats();
        return series.mul(power).blend(0, x.compare(VectorOperators.LT, LEAST));
    }

    /** Relative error below 1e-6. */
    static FloatVector tanh(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector series = square.fma(broadcast(62 / 2835f), broadcast(-17 / 315f))
                .fma(square, broadcast(2 / 15f))
                .fma(square, broadcast(-1 / 3f))
                .mul(square)
                .fma(x, x);
        FloatVector far = broadcast(1).sub(broadcast(2).div(exp(x.add(x)).add(1)));
        return far.blend(series, x.abs().compare(VectorOperators.LT, SMALL));
    }

    /** The sum of all lanes, by halves. */
    static float sum(FloatVector x) {
        return sum(x, new float[Simd.WIDTH]);
    }

    /** As {@link #sum(FloatVector)}, in a caller's scratch of one register. */
    static float sum(FloatVector x, float[] lanes) {
        x.intoArray(lanes, 0);
        for (int half = lanes.length / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[i + half];
            }
        }
        return lanes[0];
    }

    private static FloatVector broadcast(float value) {
        return FloatVector.broadcast(Simd.FLOATS, value);
    }
}
