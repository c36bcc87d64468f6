package headscope.backend.cpu;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * A row-major matrix in memory, as an operand of {@link OpenBlas#multiply}; its size is an argument there.
 *
 * @param type       F32; a weight may be BF16 or F16, and is widened before it is multiplied, see {@link WidenedPart}
 * @param offset     of its first element, in elements
 * @param stride     from one row of the stored matrix to the next, in elements
 * @param transposed whether the operand is the transpose of the stored matrix
 */
record Matrix(MemorySegment memory, DType type, long offset, int stride, boolean transposed) {
    Matrix(MemorySegment memory, long offset, int stride) {
        this(memory, DType.F32, offset, stride, false);
    }

    /** A weight [rows, columns]. */
    static Matrix of(Tensor weight) {
        return new Matrix(weight.bytes(), weight.dtype(), 0, weight.intSize(1), false);
    }

    Matrix transpose() {
        return new Matrix(memory, type, offset, stride, !transposed);
    }

    /** The operand without the rows before this one. */
    Matrix fromRow(int row) {
        return new Matrix(memory, type, offset + (transposed ? row : (long) row * stride), stride, transposed);
    }

    /** The operand without the columns before this one. */
    Matrix fromColumn(int column) {
        return new Matrix(memory, type, offset + (transposed ? (long) column * stride : column), stride, transposed);
    }

    /** The memory of an fp32 matrix, starting at the first element. */
    MemorySegment start() {
        return memory.asSlice(offset * Float.BYTES);
    }
}
