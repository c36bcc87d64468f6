package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** A tensor [rows, width] that is used again and again, and grows with the most rows that were asked for. */
final class GrowableTensor implements AutoCloseable {
    private final Backend backend;
    private final DType dtype;
    private final long width;
    private Tensor tensor;

    GrowableTensor(Backend backend, DType dtype, long width) {
        this.backend = backend;
        this.dtype = dtype;
        this.width = width;
        this.tensor = backend.allocate(dtype, 0, width);
    }

    /** [rows, width]; earlier contents are lost where it has to grow. */
    Tensor rows(long rows) {
        if (tensor.size(0) < rows) {
            clear();
            Tensor larger = backend.allocate(dtype, rows, width);
            tensor.buffer().close();
            tensor = larger;
        }
        return tensor.rows(0, rows);
    }

    /** Gives its memory back; it grows again. */
    void clear() {
        tensor.buffer().close();
        tensor = backend.allocate(dtype, 0, width);
    }

    @Override
    public void close() {
        tensor.buffer().close();
    }
}
