package headscope.backend.cpu;

import headscope.tensor.DType;
import java.lang.foreign.MemorySegment;

/** Parts of 16-bit weights in fp32, one after the other in the same memory, which stays in the cache. */
final class WidenedPart {
    private final Scratch scratch;
    private MemorySegment memory = MemorySegment.NULL;

    WidenedPart(Scratch scratch) {
        this.scratch = scratch;
    }

    /** The first rows and columns of an operand; itself if it is fp32. Valid until the next call. */
    Matrix of(Matrix weight, int rows, int columns) {
        if (weight.type() == DType.F32) {
            return weight;
        }
        int storedRows = weight.transposed() ? columns : rows;
        int width = weight.transposed() ? rows : columns;
        // Strides that are multiples of a power of two would map equal columns of all rows to one cache set.
        int stride = Simd.roundUp(width) + Simd.WIDTH;
        memory = scratch.grow(memory, (long) storedRows * stride * Float.BYTES);
        for (int row = 0; row < storedRows; row++) {
            Widening.widen(
                    weight.type(), weight.memory(), weight.offset() + (long) row * weight.stride(), memory, (long) row * stride,
                    width);
        }
        return new Matrix(memory, DType.F32, 0, stride, weight.transposed());
    }
}
