package headscope.timing;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What is timed works on tensors from here; they are closed together. */
final class RandomTensors implements AutoCloseable {
    /** Numbers drawn on the host; longer tensors repeat them. */
    private static final int DRAWN = 1 << 20;

    private final Backend backend;
    private final List<AutoCloseable> open = new ArrayList<>();

    RandomTensors(Backend backend) {
        this.backend = backend;
    }

    <T extends AutoCloseable> T add(T resource) {
        open.add(resource);
        return resource;
    }

    /** Zeros, fp32. */
    Tensor empty(long... sizes) {
        Tensor tensor = backend.allocate(DType.F32, sizes);
        open.add(tensor.buffer());
        return tensor;
    }

    /** Normal numbers; the same in the same order of calls. */
    Tensor normal(DType dtype, long... sizes) {
        Tensor values = backend.allocate(DType.F32, sizes);
        Random random = new Random(open.size());
        float[] drawn = new float[(int) Math.min(DRAWN, values.count())];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = (float) random.nextGaussian();
        }
        Tensor flat = values.as(values.count());
        for (long at = 0; at < values.count(); at += drawn.length) {
            long count = Math.min(drawn.length, values.count() - at);
            backend.upload(flat.rows(at, count), MemorySegment.ofArray(drawn).asSlice(0, count * Float.BYTES));
        }
        if (dtype == DType.F32) {
            open.add(values.buffer());
            return values;
        }
        try {
            Tensor rounded = backend.allocate(dtype, sizes);
            open.add(rounded.buffer());
            backend.convert(rounded, values);
            return rounded;
        } finally {
            values.buffer().close();
        }
    }

    @Override
    public void close() {
        for (AutoCloseable resource : open.reversed()) {
            try {
                resource.close();
            } catch (Exception failure) {
                throw new AssertionError("buffers close without complaint", failure);
            }
        }
        open.clear();
    }
}
