package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;

/** Tensors and statistics on one backend that are closed together, the last one first. */
public final class TensorScope implements AutoCloseable {
    public final Backend backend;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    public TensorScope(Backend backend) {
        this.backend = backend;
    }

    /** Zeros. */
    public Tensor allocate(DType dtype, long... shape) {
        Tensor tensor = backend.allocate(dtype, shape);
        open.push(tensor.buffer());
        return tensor;
    }

    /** Host values, uploaded as fp32. */
    public Tensor tensor(float[] values, long... shape) {
        Tensor tensor = allocate(DType.F32, shape);
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }

    /** An fp32 tensor of this scope in the type of {@link Backend#operands}: itself, or a rounded copy. */
    public Tensor operand(Tensor values) {
        if (backend.operands() == DType.F32) {
            return values;
        }
        Tensor rounded = allocate(backend.operands(), values.shape());
        backend.convert(rounded, values);
        return rounded;
    }

    /** A destination filled with NaN, which exposes every element that an operation fails to write. fp32. */
    public Tensor unwritten(long... shape) {
        Tensor tensor = allocate(DType.F32, shape);
        fillWithNan(tensor);
        return tensor;
    }

    public AttentionStatistics statistics(int heads, int capacity) {
        return statistics(heads, capacity, Optional.empty());
    }

    public AttentionStatistics statistics(int heads, int capacity, Optional<AtlasSpec> atlas) {
        AttentionStatistics statistics = new AttentionStatistics(backend, heads, capacity, atlas);
        open.push(statistics);
        return statistics;
    }

    /** As {@link #unwritten}. */
    public AttentionSaliency saliency(int heads, int tokens, AttentionSaliency.Request request) {
        AttentionSaliency saliency = new AttentionSaliency(backend, heads, tokens, request);
        open.push(saliency);
        saliency.tensors().forEach(this::fillWithNan);
        return saliency;
    }

    private void fillWithNan(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.count())];
        Arrays.fill(values, Float.NaN);
        backend.upload(tensor, MemorySegment.ofArray(values));
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception failure) {
                throw new AssertionError("closing a buffer throws nothing", failure);
            }
        }
    }
}
