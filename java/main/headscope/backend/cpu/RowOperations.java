package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.apache.commons.numbers.gamma.Erfc;

/**
 * What a transformer does to rows and elements between its matrix products. fp32 segments, contiguous. The last,
 * partly filled register of a row goes through the same masked loop as the others: a scalar tail beside it made
 * JDK 25 compile {@link #layerNorm} anew a hundred times.
 */
final class RowOperations {
    static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);
    static final float GELU_CUBE = 0.044715f;
    static final float CLAMP = 7;
    static final float CLAMPED_SLOPE = 1.702f;

    private final Walk walk;

    RowOperations(Walk walk) {
        this.walk = walk;
    }

    private enum Function {
        GELU_TANH,
        SILU,
        CLAMPED_SILU,
        RELU,
        CLAMP_PLUS_ONE,
        SCALE,
        SOFT_CAP
    }

    void layerNorm(
            MemorySegment destination, MemorySegment x, MemorySegment weight, MemorySegment bias, int width,
            float epsilon) {
        walk.rows(x, width, (row, end) -> {
            float mean = sum(x, row, width) / width;
            float inverse = inverseDeviation(x, row, width, mean, epsilon);
            for (int column = 0; column < width; column += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(column, width);
                FloatVector normal = Simd.load(x, row + column, inside).sub(mean).mul(inverse);
                FloatVector out = normal.fma(
                        Simd.load(weight, column, inside), Simd.load(bias, column, inside));
                Simd.store(out, destination, row + column, inside);
            }
        });
    }

    void rmsNorm(MemorySegment destination, MemorySegment x, MemorySegment weight, int width, float epsilon) {
        walk.rows(x, width, (row, end) -> {
            float inverse = inverseDeviation(x, row, width, 0, epsilon);
            for (int column = 0; column < width; column += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(column, width);
                FloatVector normal = Simd.load(x, row + column, inside).mul(inverse);
                Simd.store(normal.mul(Simd.load(weight, column, inside)), destination, row + column, inside);
            }
        });
    }

    /** 1 / sqrt(mean square of what is off the mean + epsilon) of a row. */
    static float inverseDeviation(MemorySegment x, long row, int width, float mean, float epsilon) {
        FloatVector squares = FloatVector.zero(Simd.FLOATS);
        for (int column = 0; column < width; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, width);
            FloatVector centred = Simd.load(x, row + column, inside).sub(mean, inside);
            squares = centred.fma(centred, squares);
        }
        return (float) (1 / Math.sqrt(VectorMath.sum(squares) / width + epsilon));
    }

    /**
     * Angles [tokens, half]; see {@link headscope.backend.Backend#rotate}.
     *
     * @param direction 1, or -1 to turn back
     */
    void rotate(
            MemorySegment x, int width, int headDim, MemorySegment cosine, MemorySegment sine, int half,
            float direction) {
        walk.rows(x, width, (row, end) -> {
            long angles = row / width * half;
            for (long head = row; head < end; head += headDim) {
                for (int j = 0; j < half; j++) {
                    float c = cosine.getAtIndex(JAVA_FLOAT, angles + j);
                    float s = direction * sine.getAtIndex(JAVA_FLOAT, angles + j);
                    float first = x.getAtIndex(JAVA_FLOAT, head + j);
                    float second = x.getAtIndex(JAVA_FLOAT, head + half + j);
                    x.setAtIndex(JAVA_FLOAT, head + j, first * c - second * s);
                    x.setAtIndex(JAVA_FLOAT, head + half + j, second * c + first * s);
                }
            }
        });
    }

    void activate(MemorySegment x, Activation f) {
        switch (f) {
            case GELU -> walk.elements(x, (from, to) -> {
                for (long i = from; i < to; i++) {
                    float value = x.getAtIndex(JAVA_FLOAT, i);
                    x.setAtIndex(JAVA_FLOAT, i, (float) (value * 0.5 * Erfc.value(-Math.sqrt(0.5) * value)));
                }
            });
            case GELU_TANH -> map(x, Function.GELU_TANH, 0);
            case SILU -> map(x, Function.SILU, 0);
            case CLAMPED_SILU -> map(x, Function.CLAMPED_SILU, 0);
            case RELU -> map(x, Function.RELU, 0);
        }
    }

    void gate(MemorySegment gate, MemorySegment up, Activation f) {
        activate(gate, f);
        if (f == Activation.CLAMPED_SILU) {
            map(up, Function.CLAMP_PLUS_ONE, 0);
        }
        multiply(gate, up);
    }

    void scale(MemorySegment x, float factor) {
        map(x, Function.SCALE, factor);
    }

    void softCap(MemorySegment x, float cap) {
        map(x, Function.SOFT_CAP, cap);
    }

    /** One switch, inlined, instead of a lambda: vectors that cross a real call are boxed. */
    private static FloatVector apply(Function f, FloatVector x, float parameter) {
        return switch (f) {
            // (1 + tanh u) / 2 = 1 / (1 + exp(-2u))
            case GELU_TANH -> x.div(VectorMath.exp(
                    x.mul(x).mul(GELU_CUBE).add(1).mul(x).mul(-2 * SQRT_2_OVER_PI)).add(1));
            case SILU -> x.div(VectorMath.exp(x.neg()).add(1));
            case CLAMPED_SILU -> {
                FloatVector clamped = x.min(CLAMP);
                yield clamped.div(VectorMath.exp(clamped.mul(-CLAMPED_SLOPE)).add(1));
            }
            case RELU -> x.max(0);
            case CLAMP_PLUS_ONE -> x.min(CLAMP).max(-CLAMP).add(1);
            case SCALE -> x.mul(parameter);
            case SOFT_CAP -> VectorMath.tanh(x.div(parameter)).mul(parameter);
        };
    }

    void add(MemorySegment x, MemorySegment y) {
        addTimes(x, y, 1);
    }

    /** x += factor * y. */
    void addTimes(MemorySegment x, MemorySegment y, float factor) {
        FloatVector factors = FloatVector.broadcast(Simd.FLOATS, factor);
        walk.elements(x, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                Simd.store(Simd.load(y, i, inside).fma(factors, Simd.load(x, i, inside)), x, i, inside);
            }
        });
    }

    void multiply(MemorySegment x, MemorySegment y) {
        walk.elements(x, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                Simd.store(Simd.load(x, i, inside).mul(Simd.load(y, i, inside)), x, i, inside);
            }
        });
    }

    private void map(MemorySegment x, Function f, float parameter) {
        walk.elements(x, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                Simd.store(apply(f, Simd.load(x, i, inside), parameter), x, i, inside);
            }
        });
    }

    /** Row i of x [tokens, heads * headDim]: head h *= factors[h]. */
    void scaleHeads(MemorySegment x, MemorySegment factors, int heads, int headDim) {
        walk.rows(x, heads * headDim, (row, end) -> {
            for (int head = 0; head < heads; head++) {
                scaleHead(x, row + (long) head * headDim, headDim, factors.getAtIndex(JAVA_FLOAT, head));
            }
        });
    }

    private static void scaleHead(MemorySegment x, long first, int headDim, float factor) {
        for (int d = 0; d < headDim; d += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(d, headDim);
            Simd.store(Simd.load(x, first + d, inside).mul(factor), x, first + d, inside);
        }
    }

    /** Of a row. */
    static float sum(MemorySegment x, long row, int width) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (int column = 0; column < width; column += Simd.WIDTH) {
            sums = sums.add(Simd.load(x, row + column, Simd.inside(column, width)));
        }
        return VectorMath.sum(sums);
    }
}
