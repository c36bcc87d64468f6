package headscope.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A view of a buffer: row-major, contiguous. It does not own the buffer. */
public final class Tensor {
    private final Buffer buffer;
    private final DType dtype;
    private final long offset;
    private final long[] shape;

    private Tensor(Buffer buffer, DType dtype, long offset, long... shape) {
        this.buffer = buffer;
        this.dtype = dtype;
        this.offset = offset;
        this.shape = shape;
    }

    /** A tensor of an entire buffer. */
    public static Tensor of(Buffer buffer, DType dtype, long... shape) {
        long bytes = Math.multiplyExact(count(shape), dtype.bytes);
        if (bytes != buffer.memory().byteSize()) {
            throw new IllegalArgumentException("%s %s takes %d bytes, the buffer has %d"
                    .formatted(dtype, Arrays.toString(shape), bytes, buffer.memory().byteSize()));
        }
        return new Tensor(buffer, dtype, 0, shape.clone());
    }

    /** Number of elements of a shape. Rejects overflow and negative sizes. */
    public static long count(long... shape) {
        long count = 1;
        for (long size : shape) {
            if (size < 0) {
                throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
            }
            count = Math.multiplyExact(count, size);
        }
        return count;
    }

    public Buffer buffer() {
        return buffer;
    }

    public DType dtype() {
        return dtype;
    }

    public int rank() {
        return shape.length;
    }

    public long size(int axis) {
        return shape[axis];
    }

    /** A size as an int. */
    public int intSize(int axis) {
        return Math.toIntExact(shape[axis]);
    }

    public long[] shape() {
        return shape.clone();
    }

    public long count() {
        return count(shape);
    }

    public boolean hasShape(long... expected) {
        return Arrays.equals(shape, expected);
    }

    /** Entries first .. first + count - 1 of the first axis. */
    public Tensor rows(long first, long count) {
        if (first < 0 || count < 0 || count > shape[0] - first) {
            throw new IllegalArgumentException(
                    "%d rows from row %d of a tensor with %d rows".formatted(count, first, shape[0]));
        }
        long[] part = shape.clone();
        part[0] = count;
        long row = shape[0] == 0 ? 0 : count() / shape[0];
        return new Tensor(buffer, dtype, offset + first * row, part);
    }

    /** The same elements with another shape. */
    public Tensor as(long... other) {
        if (count(other) != count()) {
            throw new IllegalArgumentException(
                    "%s cannot be reshaped to %s".formatted(Arrays.toString(shape), Arrays.toString(other)));
        }
        return new Tensor(buffer, dtype, offset, other.clone());
    }

    /** The bytes of the elements. */
    public MemorySegment bytes() {
        return buffer.memory().asSlice(offset * dtype.bytes, count() * dtype.bytes);
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape);
    }
}
