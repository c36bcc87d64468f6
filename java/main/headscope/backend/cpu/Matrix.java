package headscope.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * A row-major fp32 matrix in memory, as an operand of {@link OpenBlas#multiply}; its size is an argument there.
 *
 * @param offset     of its first element, in elements
 * @param stride     from one row of the stored matrix to the next, in elements
 * @param transposed whether the operand is the transpose of the stored matrix
 */
record Matrix(MemorySegment memory, long offset, int stride, boolean transposed) {
    Matrix(MemorySegment memory, long offset, int stride) {
        this(memory, offset, stride, false);
    }

    Matrix transpose() {
        return new Matrix(memory, offset, stride, !transposed);
    }

    /** The operand without the rows before this one. */
    Matrix fromRow(int row) {
        return new Matrix(memory, offset + (transposed ? row : (long) row * stride), stride, transposed);
    }

    /** The operand without the columns before this one. */
    Matrix fromColumn(int column) {
        return new Matrix(memory, offset + (transposed ? (long) column * stride : column), stride, transposed);
    }

    /** The memory, starting at the first element. */
    MemorySegment start() {
        return memory.asSlice(offset * Float.BYTES);
    }
}
