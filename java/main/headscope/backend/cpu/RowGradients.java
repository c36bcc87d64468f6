package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Activation;
import headscope.backend.Gradients;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.apache.commons.numbers.gamma.Erfc;

/** Gradients of {@link RowOperations}, on contiguous fp32 segments; arguments as in {@link Gradients}. */
final class RowGradients {
    private static final double INVERSE_ROOT_2_PI = 1 / Math.sqrt(2 * Math.PI);

    private final ParallelLoop loop;

    RowGradients(ParallelLoop loop) {
        this.loop = loop;
    }

    void layerNorm(
            MemorySegment destination, MemorySegment gradient, MemorySegment x, MemorySegment weight, int width,
            float epsilon) {
        loop.rows(x, width, (row, end) -> {
            float mean = RowOperations.sum(x, row, width) / width;
            float inverse = RowOperations.notOverflown(RowOperations.inverseDeviation(x, row, width, mean, epsilon));
            float gradientMean = dot(gradient, row, weight, 0, width) / width;
            float projection = inverse * products(gradient, x, weight, row, width, mean) / width;
            normRow(destination, gradient, x, weight, row, width, mean, inverse, gradientMean, projection);
        });
    }

    void rmsNorm(
            MemorySegment destination, MemorySegment gradient, MemorySegment x, MemorySegment weight, int width,
            float epsilon) {
        loop.rows(x, width, (row, end) -> rmsNorm(destination, gradient, x, row, weight, width, epsilon));
    }

    /** Of one row. */
    static void rmsNorm(
            MemorySegment destination, MemorySegment gradient, MemorySegment x, long row, MemorySegment weight, int width,
            float epsilon) {
        float inverse = RowOperations.inverseDeviation(x, row, width, 0, epsilon);
        float projection = inverse * products(gradient, x, weight, row, width, 0) / width;
        normRow(destination, gradient, x, weight, row, width, 0, inverse, 0, projection);
    }

    /** Sum of gradient * weight * (x - mean) over a row. */
    private static float products(
            MemorySegment gradient, MemorySegment x, MemorySegment weight, long row, int width, float mean) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (int column = 0; column < width; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, width);
            FloatVector weighted = Simd.load(gradient, row + column, inside).mul(Simd.load(weight, column, inside));
            sums = weighted.fma(Simd.load(x, row + column, inside).sub(mean), sums);
        }
        return VectorMath.sum(sums);
    }

    /** inverse * (gradient * weight - gradientMean - normal * projection), with normal = (x - mean) * inverse. */
    private static void normRow(
            MemorySegment destination, MemorySegment gradient, MemorySegment x, MemorySegment weight, long row,
            int width, float mean, float inverse, float gradientMean, float projection) {
        for (int column = 0; column < width; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, width);
            FloatVector normal = Simd.load(x, row + column, inside).sub(mean).mul(inverse);
            FloatVector weighted = Simd.load(gradient, row + column, inside).mul(Simd.load(weight, column, inside));
            Simd.store(weighted.sub(gradientMean).sub(normal.mul(projection)).mul(inverse), destination, row + column, inside);
        }
    }

    void activate(MemorySegment gradient, MemorySegment x, Activation f) {
        loop.elements(gradient, (from, to) -> {
            switch (f) {
                case GELU -> gelu(gradient, x, from, to);
                case GELU_TANH, SILU, QUICK_GELU, CLAMPED_SILU -> SigmoidActivation.of(f).gradient(gradient, x, from, to);
                case RELU -> relu(gradient, x, from, to);
            }
        });
    }

    /** @param gateUp rows of gate, then up, width elements each, as gateUpGradient */
    void gate(MemorySegment gateUpGradient, MemorySegment gradient, MemorySegment gateUp, int width, Activation f) {
        GatedRows.each(loop, gradient, width, (first, gate, count) -> gate(
                elements(gateUpGradient, gate, count), elements(gateUpGradient, gate + width, count),
                elements(gradient, first, count), elements(gateUp, gate, count), elements(gateUp, gate + width, count), f));
    }

    private static MemorySegment elements(MemorySegment x, long first, int count) {
        return x.asSlice(first * Float.BYTES, (long) count * Float.BYTES);
    }

    private static void gate(
            MemorySegment gateGradient, MemorySegment upGradient, MemorySegment gradient, MemorySegment gate,
            MemorySegment up, Activation f) {
        long count = gradient.byteSize() / Float.BYTES;
        switch (f) {
            case GELU -> geluGate(gateGradient, upGradient, gradient, gate, up, 0, count);
            case GELU_TANH, SILU, QUICK_GELU, CLAMPED_SILU -> SigmoidActivation.of(f)
                    .gateGradient(gateGradient, upGradient, gradient, gate, up, 0, count);
            case RELU -> reluGate(gateGradient, upGradient, gradient, gate, up, 0, count);
        }
    }

    private static double normalCdf(double x) {
        return 0.5 * Erfc.value(-Math.sqrt(0.5) * x);
    }

    private static double geluSlope(double x) {
        return normalCdf(x) + x * INVERSE_ROOT_2_PI * Math.exp(-0.5 * x * x);
    }

    private static void gelu(MemorySegment gradient, MemorySegment x, long from, long to) {
        for (long i = from; i < to; i++) {
            double slope = geluSlope(x.getAtIndex(JAVA_FLOAT, i));
            gradient.setAtIndex(JAVA_FLOAT, i, (float) (slope * gradient.getAtIndex(JAVA_FLOAT, i)));
        }
    }

    private static void geluGate(
            MemorySegment gateGradient, MemorySegment upGradient, MemorySegment gradient, MemorySegment gate,
            MemorySegment up, long from, long to) {
        for (long i = from; i < to; i++) {
            double x = gate.getAtIndex(JAVA_FLOAT, i);
            double g = gradient.getAtIndex(JAVA_FLOAT, i);
            gateGradient.setAtIndex(JAVA_FLOAT, i, (float) (g * up.getAtIndex(JAVA_FLOAT, i) * geluSlope(x)));
            upGradient.setAtIndex(JAVA_FLOAT, i, (float) (g * x * normalCdf(x)));
        }
    }

    private static void relu(MemorySegment gradient, MemorySegment x, long from, long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            VectorMask<Float> off = Simd.load(x, i, inside).compare(VectorOperators.LE, 0);
            Simd.store(Simd.load(gradient, i, inside).blend(0, off), gradient, i, inside);
        }
    }

    private static void reluGate(
            MemorySegment gateGradient, MemorySegment upGradient, MemorySegment gradient, MemorySegment gate,
            MemorySegment up, long from, long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            FloatVector g = Simd.load(gradient, i, inside);
            FloatVector x = Simd.load(gate, i, inside);
            FloatVector passed = g.mul(Simd.load(up, i, inside)).blend(0, x.compare(VectorOperators.LE, 0));
            Simd.store(passed, gateGradient, i, inside);
            Simd.store(g.mul(x.max(0)), upGradient, i, inside);
        }
    }

    void softCap(MemorySegment gradient, MemorySegment capped, float cap) {
        FloatVector one = FloatVector.broadcast(Simd.FLOATS, 1);
        loop.elements(gradient, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                FloatVector share = Simd.load(capped, i, inside).div(cap);
                FloatVector slope = share.neg().fma(share, one);
                Simd.store(Simd.load(gradient, i, inside).mul(slope), gradient, i, inside);
            }
        });
    }

    void route(MemorySegment gradient, MemorySegment shares, int experts) {
        loop.rows(gradient, experts, (row, end) -> {
            double mean = 0;
            for (long i = row; i < end; i++) {
                mean += (double) shares.getAtIndex(JAVA_FLOAT, i) * gradient.getAtIndex(JAVA_FLOAT, i);
            }
            for (long i = row; i < end; i++) {
                double centred = gradient.getAtIndex(JAVA_FLOAT, i) - mean;
                gradient.setAtIndex(JAVA_FLOAT, i, (float) (shares.getAtIndex(JAVA_FLOAT, i) * centred));
            }
        });
    }

    void addShare(
            MemorySegment yGradient, MemorySegment shareGradient, MemorySegment gradient, MemorySegment y,
            MemorySegment shares, int width, int experts, int column) {
        loop.rows(y, width, (row, end) -> {
            long at = row / width * experts + column;
            shareGradient.setAtIndex(JAVA_FLOAT, at, dot(gradient, row, y, row, width));
            times(yGradient, gradient, row, width, shares.getAtIndex(JAVA_FLOAT, at));
        });
    }

    static float dot(MemorySegment x, long xFirst, MemorySegment y, long yFirst, int count) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (int column = 0; column < count; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, count);
            sums = Simd.load(x, xFirst + column, inside).fma(Simd.load(y, yFirst + column, inside), sums);
        }
        return VectorMath.sum(sums);
    }

    private static void times(MemorySegment destination, MemorySegment x, long first, int count, float factor) {
        for (int column = 0; column < count; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, count);
            Simd.store(Simd.load(x, first + column, inside).mul(factor), destination, first + column, inside);
        }
    }

    /** Sum of gradient * x over some rows and the elements of a head; sums over rows are fp64. */
    static float head(
            MemorySegment gradient, MemorySegment x, int firstRow, int endRow, int head, int heads, int headDim) {
        double sum = 0;
        for (int row = firstRow; row < endRow; row++) {
            long first = ((long) row * heads + head) * headDim;
            sum += dot(gradient, first, x, first, headDim);
        }
        return (float) sum;
    }

    /** See {@link Gradients#adamW}. */
    void adamW(
            MemorySegment parameter, MemorySegment gradient, MemorySegment m, MemorySegment v,
            Gradients.AdamW settings, int step) {
        float correction1 = (float) (1 / (1 - Math.pow(settings.beta1(), step)));
        float correction2 = (float) (1 / (1 - Math.pow(settings.beta2(), step)));
        loop.elements(parameter, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                FloatVector g = Simd.load(gradient, i, inside);
                FloatVector mean = Simd.load(m, i, inside).mul(settings.beta1()).add(g.mul(1 - settings.beta1()));
                FloatVector square =
                        Simd.load(v, i, inside).mul(settings.beta2()).add(g.mul(g).mul(1 - settings.beta2()));
                FloatVector old = Simd.load(parameter, i, inside);
                FloatVector change = mean.mul(correction1)
                        .div(square.mul(correction2).sqrt().add(settings.epsilon()))
                        .add(old.mul(settings.decay()));
                Simd.store(mean, m, i, inside);
                Simd.store(square, v, i, inside);
                Simd.store(old.sub(change.mul(settings.rate())), parameter, i, inside);
            }
        });
    }
}
