package headscope.timing;

import headscope.backend.Backend;
import headscope.backend.TensorScope;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Normally distributed tensors of any length. */
final class RandomTensors {
    /** Values drawn on the host; longer tensors repeat them. */
    private static final int DRAWN = 1 << 20;

    private RandomTensors() {}

    /** The values depend on seed and shape only. */
    static Tensor normal(TensorScope tensors, DType dtype, long seed, long... shape) {
        Backend backend = tensors.backend;
        Tensor destination = tensors.allocate(dtype, shape);
        if (dtype == DType.F32) {
            fill(backend, destination, seed);
            return destination;
        }
        Tensor values = backend.allocate(DType.F32, shape);
        try {
            fill(backend, values, seed);
            backend.convert(destination, values);
            return destination;
        } finally {
            values.buffer().close();
        }
    }

    private static void fill(Backend backend, Tensor destination, long seed) {
        Random random = new Random(seed);
        float[] drawn = new float[(int) Math.min(DRAWN, destination.count())];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = (float) random.nextGaussian();
        }
        Tensor flat = destination.as(destination.count());
        for (long at = 0; at < destination.count(); at += drawn.length) {
            long count = Math.min(drawn.length, destination.count() - at);
            backend.upload(flat.rows(at, count), MemorySegment.ofArray(drawn).asSlice(0, count * Float.BYTES));
        }
    }
}
