package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Activation;
import headscope.backend.RowRanges;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.apache.commons.numbers.gamma.Erfc;

/**
 * Operations on rows and elements, on contiguous fp32 segments. All loops are masked instead of ending in a scalar
 * tail: with a tail, JDK 25 recompiled {@link #layerNorm} about a hundred times.
 */
final class RowOperations {
    /** Elements that are copied and then changed in place, in the first-level cache. */
    private static final long BLOCK = 4096;

    private final ParallelLoop loop;

    RowOperations(ParallelLoop loop) {
        this.loop = loop;
    }

    void layerNorm(
            MemorySegment destination, MemorySegment x, MemorySegment weight, MemorySegment bias, int width,
            float epsilon) {
        loop.rows(x, width, (row, end) -> {
            float mean = sum(x, row, width) / width;
            float inverse = notOverflown(inverseDeviation(x, row, width, mean, epsilon));
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
        loop.rows(x, width, (row, end) -> rmsNorm(destination, row, x, row, weight, width, epsilon));
    }

    /** Of one row. */
    static void rmsNorm(
            MemorySegment destination, long to, MemorySegment x, long row, MemorySegment weight, int width, float epsilon) {
        float inverse = inverseDeviation(x, row, width, 0, epsilon);
        for (int column = 0; column < width; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, width);
            FloatVector normal = Simd.load(x, row + column, inside).mul(inverse);
            Simd.store(normal.mul(Simd.load(weight, column, inside)), destination, to + column, inside);
        }
    }

    /** 1 / sqrt(mean of (x - mean)^2 + epsilon) of a row. */
    static float inverseDeviation(MemorySegment x, long row, int width, float mean, float epsilon) {
        FloatVector squares = FloatVector.zero(Simd.FLOATS);
        for (int column = 0; column < width; column += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(column, width);
            FloatVector centred = Simd.load(x, row + column, inside).sub(mean, inside);
            squares = centred.fma(centred, squares);
        }
        return (float) (1 / Math.sqrt(VectorMath.sum(squares) / width + epsilon));
    }

    /** NaN if the variance overflows: 0 would hide it, because it makes a row of zeros. */
    static float notOverflown(float inverseDeviation) {
        return inverseDeviation > 0 ? inverseDeviation : Float.NaN;
    }

    /**
     * Rotates the heads of a row in place, elements first to end - 1: see {@link headscope.backend.HeadTransform.Rotation}.
     *
     * @param angles    index of the row's first angle
     * @param half      number of angles
     * @param direction 1, or -1 for the inverse rotation
     */
    static void rotate(
            MemorySegment x, long first, long end, int headDim, MemorySegment cosine, MemorySegment sine, long angles,
            int half, float direction) {
        for (long head = first; head < end; head += headDim) {
            for (int j = 0; j < half; j++) {
                float c = cosine.getAtIndex(JAVA_FLOAT, angles + j);
                float s = direction * sine.getAtIndex(JAVA_FLOAT, angles + j);
                float a = x.getAtIndex(JAVA_FLOAT, head + j);
                float b = x.getAtIndex(JAVA_FLOAT, head + half + j);
                x.setAtIndex(JAVA_FLOAT, head + j, a * c - b * s);
                x.setAtIndex(JAVA_FLOAT, head + half + j, b * c + a * s);
            }
        }
    }

    /** The destination may be x. */
    void activate(MemorySegment destination, MemorySegment x, Activation f) {
        boolean inPlace = destination.address() == x.address();
        loop.elements(x, (from, to) -> {
            long count;
            for (long first = from; first < to; first += count) {
                count = Math.min(BLOCK, to - first);
                if (!inPlace) {
                    MemorySegment.copy(x, first * Float.BYTES, destination, first * Float.BYTES, count * Float.BYTES);
                }
                activate(destination, f, first, first + count);
            }
        });
    }

    private static void activate(MemorySegment x, Activation f, long from, long to) {
        switch (f) {
            case GELU -> {
                for (long i = from; i < to; i++) {
                    float value = x.getAtIndex(JAVA_FLOAT, i);
                    x.setAtIndex(JAVA_FLOAT, i, (float) (value * 0.5 * Erfc.value(-Math.sqrt(0.5) * value)));
                }
            }
            case GELU_TANH, SILU, QUICK_GELU, CLAMPED_SILU -> SigmoidActivation.of(f).apply(x, from, to);
            case RELU -> relu(x, from, to);
        }
    }

    private static void relu(MemorySegment x, long from, long to) {
        for (long i = from; i < to; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, to);
            Simd.store(Simd.load(x, i, inside).max(0), x, i, inside);
        }
    }

    /** @param gateUp rows of gate, then up, width elements each */
    void gate(MemorySegment destination, MemorySegment gateUp, int width, Activation f) {
        GatedRows.each(loop, destination, width, (at, gate, count) -> {
            MemorySegment.copy(gateUp, gate * Float.BYTES, destination, at * Float.BYTES, (long) count * Float.BYTES);
            activate(destination, f, at, at + count);
            if (f == Activation.CLAMPED_SILU) {
                SigmoidActivation.of(f).timesUp(destination, at, gateUp, gate + width, count);
            } else {
                multiply(destination, at, gateUp, gate + width, count);
            }
        });
    }

    void scale(MemorySegment x, float factor) {
        loop.elements(x, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                Simd.store(Simd.load(x, i, inside).mul(factor), x, i, inside);
            }
        });
    }

    void softCap(MemorySegment x, float cap) {
        loop.elements(x, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                Simd.store(VectorMath.tanh(Simd.load(x, i, inside).div(cap)).mul(cap), x, i, inside);
            }
        });
    }

    void add(MemorySegment x, MemorySegment y) {
        addTimes(x, y, 1);
    }

    /** x += factor * y. */
    void addTimes(MemorySegment x, MemorySegment y, float factor) {
        FloatVector factors = FloatVector.broadcast(Simd.FLOATS, factor);
        loop.elements(x, (from, to) -> {
            for (long i = from; i < to; i += Simd.WIDTH) {
                VectorMask<Float> inside = Simd.inside(i, to);
                Simd.store(Simd.load(y, i, inside).fma(factors, Simd.load(x, i, inside)), x, i, inside);
            }
        });
    }

    void multiply(MemorySegment x, MemorySegment y) {
        loop.elements(x, (from, to) -> multiply(x, from, y, from, to - from));
    }

    private static void multiply(MemorySegment x, long xFirst, MemorySegment y, long yFirst, long count) {
        for (long i = 0; i < count; i += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(i, count);
            Simd.store(Simd.load(x, xFirst + i, inside).mul(Simd.load(y, yFirst + i, inside)), x, xFirst + i, inside);
        }
    }

    /** Row i of x [tokens, heads * headDim]: head h *= factors [ranges, heads] of the range that contains i, if there is one. */
    void scaleHeads(MemorySegment x, MemorySegment factors, RowRanges ranges, int heads, int headDim) {
        int width = heads * headDim;
        loop.rows(x, width, (row, end) -> {
            int range = ranges.find(Math.toIntExact(row / width));
            for (int head = 0; head < heads && range >= 0; head++) {
                scaleHead(x, row + (long) head * headDim, headDim,
                        factors.getAtIndex(JAVA_FLOAT, (long) range * heads + head));
            }
        });
    }

    private static void scaleHead(MemorySegment x, long first, int headDim, float factor) {
        for (int d = 0; d < headDim; d += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(d, headDim);
            Simd.store(Simd.load(x, first + d, inside).mul(factor), x, first + d, inside);
        }
    }

    /** Sum of a row. */
    static float sum(MemorySegment x, long row, int width) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (int column = 0; column < width; column += Simd.WIDTH) {
            sums = sums.add(Simd.load(x, row + column, Simd.inside(column, width)));
        }
        return VectorMath.sum(sums);
    }
}
