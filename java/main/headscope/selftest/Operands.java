package headscope.selftest;

import headscope.backend.Backend;
import headscope.backend.TensorScope;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Random;

/** Random operands of one case on one backend; equal on every backend. */
final class Operands implements AutoCloseable {
    final Backend backend;
    final TensorScope tensors;
    private final DType type;
    private final Random random;

    /** @param type type to which values are rounded, so that a backend of that type represents them exactly */
    Operands(Backend backend, DType type, long seed) {
        this.backend = backend;
        this.tensors = new TensorScope(backend);
        this.type = type;
        this.random = new Random(seed);
    }

    /** Values of the standard normal distribution, fp32. */
    Tensor normal(long... shape) {
        float[] values = new float[Math.toIntExact(Tensor.count(shape))];
        for (int i = 0; i < values.length; i++) {
            values[i] = rounded((float) random.nextGaussian());
        }
        return tensors.tensor(values, shape);
    }

    /** As {@link #normal}, in the type of {@link Backend#operands}. */
    Tensor operand(long... shape) {
        return tensors.operand(normal(shape));
    }

    /** See {@link TensorScope#unwritten}. */
    Tensor unwritten(long... shape) {
        return tensors.unwritten(shape);
    }

    /** A uniformly distributed integer from 0 to bound - 1. */
    int below(int bound) {
        return random.nextInt(bound);
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
        tensors.close();
    }
}
