package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Conversion;
import headscope.tensor.DType;
import headscope.tensor.Finiteness;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Some elements of a tensor, to be uploaded.
 *
 * @param to    the elements on the backend
 * @param first index of the first one, in the order of use
 * @param rest  elements of the tensor that have not been uploaded yet, in all of its pieces
 */
record WeightPiece(StoredTensor stored, StoredOrder order, Tensor to, long first, AtomicLong rest) {
    /** Bytes that are copied and checked at a time, in the second-level cache. */
    private static final long BLOCK = 1 << 18;

    /** @throws ModelFormatException if an element is infinite or NaN, or if the file has become shorter */
    void upload(Backend backend) {
        DType type = type();
        backend.upload(to, type, (at, segment) -> {
            for (long done = 0; done < segment.byteSize(); done += BLOCK) {
                MemorySegment block = segment.asSlice(done, Math.min(BLOCK, segment.byteSize() - done));
                write(first + at + done / type.bytes, block);
                if (!Finiteness.holds(type, block)) {
                    throw damaged(stored);
                }
            }
        });
        if (rest.addAndGet(-to.count()) == 0) {
            stored.release();
        }
    }

    /** The type in which elements are uploaded. */
    private DType type() {
        return stored.dtype() == DType.F64 ? DType.F32 : stored.dtype();
    }

    private void write(long at, MemorySegment block) {
        if (stored.dtype() != DType.F64) {
            stored.read(() -> order.copy(stored.bytes(), stored.dtype().bytes, at, block));
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment doubles = arena.allocate(2 * block.byteSize(), Double.BYTES);
            stored.read(() -> order.copy(stored.bytes(), Double.BYTES, at, doubles));
            Conversion.copy(DType.F64, doubles, DType.F32, block);
        }
    }

    /** Names the first element that is infinite or NaN, in the order of the file. */
    static ModelFormatException damaged(StoredTensor stored) {
        float[] value = new float[1];
        long element = 0;
        do {
            stored.copyTo(element++, MemorySegment.ofArray(value));
        } while (Float.isFinite(value[0]) && element < stored.count());
        return new ModelFormatException(stored.file(), "tensor " + Printable.quote(stored.name()),
                "element %d is %s; the weights are damaged".formatted(element - 1, value[0]));
    }
}
