package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tensors of one test on one backend, closed together. */
final class Operands implements AutoCloseable {
    final Backend backend;
    private final List<AutoCloseable> open = new ArrayList<>();

    Operands(Backend backend) {
        this.backend = backend;
    }

    Tensor tensor(float[] values, long... shape) {
        Tensor tensor = backend.allocate(DType.F32, shape);
        open.add(tensor.buffer());
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }

    Tensor of(DType dtype, long... shape) {
        Tensor tensor = backend.allocate(dtype, shape);
        open.add(tensor.buffer());
        return tensor;
    }

    /** In the type that the backend reads keys and values in. */
    Tensor operand(float[] values, long... shape) {
        Tensor wide = tensor(values, shape);
        if (backend.operands() == DType.F32) {
            return wide;
        }
        Tensor operand = of(backend.operands(), shape);
        backend.convert(operand, wide);
        return operand;
    }

    /** To the nearest numbers of the type. */
    static float[] rounded(DType type, float[] values) {
        try (Operands on = new Operands(new Reference())) {
            Tensor wide = on.tensor(values, values.length);
            Tensor narrow = on.of(type, values.length);
            on.backend.convert(narrow, wide);
            on.backend.convert(wide, narrow);
            return on.floats(wide);
        }
    }

    /** A destination of which every element must be written. */
    Tensor unwritten(long... shape) {
        float[] values = new float[Math.toIntExact(Tensor.count(shape))];
        Arrays.fill(values, Float.NaN);
        return tensor(values, shape);
    }

    AttentionStatistics statistics(int heads, int capacity) {
        AttentionStatistics statistics = new AttentionStatistics(backend, heads, capacity);
        open.add(statistics);
        return statistics;
    }

    /** As {@link #unwritten}. */
    AttentionSaliency saliency(int heads, int tokens, AttentionSaliency.Request request) {
        AttentionSaliency saliency = new AttentionSaliency(backend, heads, tokens, request);
        open.add(saliency);
        for (Tensor tensor : new Tensor[] {
            saliency.signed, saliency.rows, saliency.columns, saliency.maximum, saliency.maximumColumn,
            saliency.groups, saliency.pooledMaximum, saliency.pooledMean, saliency.maps
        }) {
            float[] values = new float[Math.toIntExact(tensor.count())];
            Arrays.fill(values, Float.NaN);
            backend.upload(tensor, MemorySegment.ofArray(values));
        }
        return saliency;
    }

    float[] floats(Tensor tensor) {
        return backend.download(tensor);
    }

    /** Of an fp64 tensor. */
    double[] doubles(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.count())];
        backend.download(MemorySegment.ofArray(values), tensor);
        return values;
    }

    @Override
    public void close() {
        for (AutoCloseable each : open) {
            try {
                each.close();
            } catch (Exception failure) {
                throw new AssertionError(failure);
            }
        }
    }
}
