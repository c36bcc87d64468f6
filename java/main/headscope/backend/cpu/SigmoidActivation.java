package headscope.backend.cpu;

import headscope.backend.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * f(x) = x / (1 + exp(-u)) with u = slope x (1 + cube x^2) and x at most max. The activations share one
 * formula, because the compiler boxes vectors if several formulas meet in one loop.
 *
 * @param plus added to the other factor of a gate, which is clamped to [-max, max]
 */
record SigmoidActivation(float slope, float cube, float max, float plus) {
    static SigmoidActivation of(Activation f) {
        float infinity = Float.POSITIVE_INFINITY;
        return switch (f) {
            // (1 + tanh u) / 2 = 1 / (1 + exp(-2u))
            case GELU_TANH -> new SigmoidActivation((float) (2 * Math.sqrt(2 / Math.PI)), 0.044715f, infinity, 0);
            case SILU -> new SigmoidActivation(1, 0, infinity, 0);
            case QUICK_GELU -> new SigmoidActivation(1.702f, 0, infinity, 0);
            case CLAMPED_SILU -> new SigmoidActivation(1.702f, 0, 7, 1);
            case GELU, RELU -> throw new IllegalArgumentException(f + " has no sigmoid");
        };
    }

    /** In place. */
    void apply(MemorySegment x, long from, long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            FloatVector value = Simd.load(x, i, inside).min(max);
            FloatVector minusSlopeX = value.mul(-slope);
            FloatVector exponential = VectorMath.expAbove0(value.mul(cube).mul(value).fma(minusSlopeX, minusSlopeX));
            Simd.store(value.div(exponential.add(VectorMath.ONE)), x, i, inside);
        }
    }

    /** gradient *= f'(x) = s + x s (1 - s) u'(x), where 1 - s is computed as s exp(-u) to avoid cancellation. */
    void gradient(MemorySegment gradient, MemorySegment x, long from, long to) {
        MemorySegment destination = Simd.known(gradient);
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            FloatVector received = Simd.load(gradient, i, inside);
            FloatVector value = Simd.load(x, i, inside).min(max);
            FloatVector minusSlopeX = value.mul(-slope);
            FloatVector cubic = value.mul(cube).mul(value);
            FloatVector exponential = VectorMath.expAbove0(cubic.fma(minusSlopeX, minusSlopeX));
            FloatVector sigmoid = VectorMath.ONE.div(exponential.add(VectorMath.ONE));
            FloatVector correction = cubic.mul(VectorMath.THREE).fma(minusSlopeX, minusSlopeX).mul(sigmoid.mul(exponential));
            FloatVector derivative = sigmoid.mul(VectorMath.ONE.sub(correction));
            // Not Simd.store: at this depth of a long loop the compiler inlines only what the JDK forces it to inline.
            received.mul(derivative).intoMemorySegment(destination, i << 2, Simd.ORDER, inside);
        }
        if (max < Float.POSITIVE_INFINITY) {
            zeroAboveMax(gradient, x, from, to);
        }
    }

    private void zeroAboveMax(MemorySegment gradient, MemorySegment x, long from, long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            VectorMask<Float> above = Simd.load(x, i, inside).compare(VectorOperators.GT, max);
            Simd.store(Simd.load(gradient, i, inside).blend(0, above), gradient, i, inside);
        }
    }

    /** Gradients of f(gate) (up + plus). */
    void gateGradient(
            MemorySegment gateGradient, MemorySegment upGradient, MemorySegment gradient, MemorySegment gate,
            MemorySegment up, long from, long to) {
        MemorySegment.copy(gradient, from * Float.BYTES, gateGradient, from * Float.BYTES, (to - from) * Float.BYTES);
        timesUp(gateGradient, from, up, from, to - from);
        gradient(gateGradient, gate, from, to);
        timesGate(upGradient, gradient, gate, up, from, to);
    }

    /** x *= up + plus, clamped. */
    void timesUp(MemorySegment x, long xFirst, MemorySegment up, long upFirst, long count) {
        for (long i = 0; i < count; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, count);
            FloatVector factor = Simd.load(up, upFirst + i, inside).min(max).max(-max).add(plus);
            Simd.store(Simd.load(x, xFirst + i, inside).mul(factor), x, xFirst + i, inside);
        }
    }

    private void timesGate(
            MemorySegment upGradient, MemorySegment gradient, MemorySegment gate, MemorySegment up, long from,
            long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            VectorMask<Float> beyond = Simd.load(up, i, inside).abs().compare(VectorOperators.GT, max);
            FloatVector passed = Simd.load(gradient, i, inside).blend(0, beyond);
            FloatVector value = Simd.load(gate, i, inside).min(max);
            FloatVector minusSlopeX = value.mul(-slope);
            FloatVector exponential = VectorMath.expAbove0(value.mul(cube).mul(value).fma(minusSlopeX, minusSlopeX));
            Simd.store(passed.mul(value.div(exponential.add(VectorMath.ONE))), upGradient, i, inside);
        }
    }
}
