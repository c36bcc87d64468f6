package headscope.bench;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Reproducible inputs. */
final class Gaussian {
    private final Random random = new Random(1);

    /** Mean 0, variance 1; [rows, width]. */
    Tensor tensor(Backend backend, int rows, int width) {
        float[] values = new float[rows * width];
        fill(values, 1);
        Tensor tensor = backend.allocate(DType.F32, rows, width);
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }

    void fill(float[] values, float deviation) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * deviation;
        }
    }
}
