package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** Tensors that every layer and every text reuse, freed together. */
final class Workspace implements AutoCloseable {
    private final Backend backend;
    private final List<GrowableTensor> tensors = new ArrayList<>();

    Workspace(Backend backend) {
        this.backend = backend;
    }

    /** An fp32 tensor [rows, width]. */
    GrowableTensor tensor(long width) {
        return tensor(DType.F32, width);
    }

    /** A tensor [rows, width] of {@link Backend#operands}. */
    GrowableTensor operand(long width) {
        return tensor(backend.operands(), width);
    }

    private GrowableTensor tensor(DType dtype, long width) {
        GrowableTensor tensor = new GrowableTensor(backend, dtype, width);
        tensors.add(tensor);
        return tensor;
    }

    /** Frees all memory; the tensors can be used again. */
    void clear() {
        tensors.forEach(GrowableTensor::clear);
    }

    /** How often a tensor has moved in memory. */
    long moves() {
        return tensors.stream().mapToLong(GrowableTensor::moves).sum();
    }

    @Override
    public void close() {
        tensors.forEach(GrowableTensor::close);
    }
}
