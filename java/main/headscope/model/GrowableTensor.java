package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** A reusable tensor [rows, width] with room for the largest number of rows requested so far. */
final class GrowableTensor implements AutoCloseable {
    private final Backend backend;
    private final DType dtype;
    private final long width;
    private Tensor tensor;
    private int moves;

    GrowableTensor(Backend backend, DType dtype, long width) {
        this.backend = backend;
        this.dtype = dtype;
        this.width = width;
        this.tensor = backend.allocate(dtype, 0, width);
    }

    /** [rows, width]; the contents are lost if the tensor has to grow. */
    Tensor rows(long rows) {
        if (tensor.size(0) < rows) {
            clear();
            Tensor larger = backend.allocate(dtype, rows, width);
            tensor.buffer().close();
            tensor = larger;
        }
        return tensor.rows(0, rows);
    }

    /** x [rows, width] in this tensor's type: x itself if it has that type, otherwise converted into this tensor. */
    Tensor of(Tensor x) {
        if (x.dtype() == dtype) {
            return x;
        }
        Tensor converted = rows(x.size(0));
        backend.convert(converted, x);
        return converted;
    }

    /** Where a result with the shape of x goes that is needed in this tensor's type: x itself if it has that type. */
    Tensor inPlaceOf(Tensor x) {
        return x.dtype() == dtype ? x : rows(x.size(0));
    }

    /** Frees the memory; the tensor can be used again. */
    void clear() {
        moves++;
        tensor.buffer().close();
        tensor = backend.allocate(dtype, 0, width);
    }

    /** How often the tensor has moved in memory. */
    int moves() {
        return moves;
    }

    @Override
    public void close() {
        tensor.buffer().close();
    }
}
