package headscope.selftest;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;

/** Tensors of one case on one backend, of numbers that are the same on every backend. Closed together. */
final class Operands implements AutoCloseable {
    final Backend backend;
    private final DType type;
    private final Random random;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /** @param type what values are rounded to, so that a backend of that type loses nothing */
    Operands(Backend backend, DType type, long seed) {
        this.backend = backend;
        this.type = type;
        this.random = new Random(seed);
    }

    /** Normal numbers, fp32. */
    Tensor normal(long... shape) {
        float[] values = new float[Math.toIntExact(Tensor.count(shape))];
        for (int i = 0; i < values.length; i++) {
            values[i] = rounded((float) random.nextGaussian());
        }
        return of(values, shape);
    }

    /** Normal numbers in the type that the backend's products read. */
    Tensor operand(long... shape) {
        Tensor values = normal(shape);
        if (backend.operands() == DType.F32) {
            return values;
        }
        Tensor operand = backend.allocate(backend.operands(), shape);
        open.push(operand.buffer());
        backend.convert(operand, values);
        return operand;
    }

    Tensor of(float[] values, long... shape) {
        Tensor tensor = backend.allocate(DType.F32, shape);
        open.push(tensor.buffer());
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }

    /** What an operation is to overwrite: NaN, so that an element it forgets is seen. */
    Tensor unwritten(long... shape) {
        float[] values = new float[Math.toIntExact(Tensor.count(shape))];
        Arrays.fill(values, Float.NaN);
        return of(values, shape);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    AttentionStatistics statistics(int heads, int tokens) {
        AttentionStatistics statistics = new AttentionStatistics(backend, heads, tokens);
        open.push(statistics);
        return statistics;
    }

    AttentionSaliency saliency(int heads, int tokens, AttentionSaliency.Request request) {
        AttentionSaliency saliency = new AttentionSaliency(backend, heads, tokens, request);
        open.push(saliency);
        return saliency;
    }

    private float rounded(float value) {
        return switch (type) {
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> {
                int bits = Float.floatToRawIntBits(value);
                yield Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
            }
            default -> value;
        };
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception failure) {
                throw new AssertionError("buffers close without complaint", failure);
            }
        }
    }
}
