package headscope.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * A row-major fp32 matrix in memory, as an operand of {@link OpenBlas#multiply}; its size is an argument there.
 *
 * @param offset     of its first element, in elements
 * @param stride     from one row to the next, in elements
 * @param transposed whether the operand is the transpose of the stored matrix
 */
record Matrix(MemorySegment memory, long offset, int stride, boolean transposed) {
    Matrix(MemorySegment memory, long offset, int stride) {
        this(memory, offset, stride, false);
    }

    Matrix transpose() {
        return new Matrix(memory, offset, stride, !transposed);
    }

    /** The memory, starting at the first element. */
    MemorySegment start() {
        return memory.asSlice(offset * Float.BYTES);
    }
}
