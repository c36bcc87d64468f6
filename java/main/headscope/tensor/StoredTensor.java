package headscope.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * One tensor in a safetensors file: a view of the mapped bytes, row-major, little-endian, at any alignment. Reading it
 * after its {@link Safetensors} is closed throws {@link IllegalStateException}.
 */
public final class StoredTensor {
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final long fileBytes;
    private final String name;
    private final DType dtype;
    private final long[] shape;
    private final MemorySegment bytes;

    /** @param fileBytes size of the file when it was mapped */
    StoredTensor(Path file, long fileBytes, String name, DType dtype, long[] shape, MemorySegment bytes) {
        this.file = file;
        this.fileBytes = fileBytes;
        this.name = name;
        this.dtype = dtype;
        this.shape = shape.clone();
        this.bytes = bytes.asReadOnly();
    }

    public String name() {
        return name;
    }

    public DType dtype() {
        return dtype;
    }

    /** A copy of the shape; empty for a scalar. */
    public long[] shape() {
        return shape.clone();
    }

    /** Number of elements. */
    public long count() {
        return bytes.byteSize() / dtype.bytes;
    }

    /** The stored bytes, read-only; unlike {@link #copyTo}, without a check that the file is still whole. */
    public MemorySegment bytes() {
        return bytes;
    }

    public Path file() {
        return file;
    }

    /**
     * Writes all elements as fp32 in the machine's byte order.
     *
     * @param destination 4 * count() bytes, native or heap, at any alignment
     * @throws ModelFormatException     if the dtype is not F32, F16, BF16 or F64, or if the file has become shorter
     * @throws IllegalArgumentException if the destination has another size
     */
    public void copyTo(MemorySegment destination) {
        long count = count();
        if (destination.byteSize() != 4 * count) {
            throw new IllegalArgumentException("%s %s needs %d bytes as fp32, not %d"
                    .formatted(name, Arrays.toString(shape), 4 * count, destination.byteSize()));
        }
        copyTo(0, destination);
    }

    /**
     * Writes some elements as fp32 in the machine's byte order.
     *
     * @param first       index of the first one
     * @param destination 4 bytes per element, native or heap, at any alignment
     * @throws ModelFormatException      as {@link #copyTo(MemorySegment)}
     * @throws IndexOutOfBoundsException if there are not so many elements
     */
    public void copyTo(long first, MemorySegment destination) {
        requireFloatingPoint();
        MemorySegment source = bytes.asSlice(first * dtype.bytes, destination.byteSize() / 4 * dtype.bytes);
        read(() -> Conversion.copy(dtype, source, DType.F32, destination));
    }

    /**
     * Runs work that reads {@link #bytes} by methods of {@link MemorySegment}, not by vectors.
     *
     * @throws ModelFormatException if the file has become shorter, so that what was read may be wrong
     */
    public void read(Runnable work) {
        MappedFile.read(file, fileBytes, () -> {
            work.run();
            return bytes;
        });
    }

    /** @throws ModelFormatException if the dtype is not F32, F16, BF16 or F64 */
    public void requireFloatingPoint() {
        switch (dtype) {
            case F32, F16, BF16, F64 -> {}
            default -> throw unsupported("F32, F16, BF16, F64");
        }
    }

    /** Gives back the memory that reading has occupied; the tensor can still be read, from the file. */
    public void release() {
        bytes.unload();
    }

    /** All elements as fp32, for the dtypes of {@link #copyTo} and at most 2^31 - 9 elements. */
    public float[] floats() {
        float[] values = new float[arrayLength()];
        copyTo(MemorySegment.ofArray(values));
        return values;
    }

    /**
     * All elements of an integer tensor.
     *
     * @throws ModelFormatException if the dtype is not I64 or I32, or if the file has become shorter
     */
    public long[] longs() {
        if (dtype != DType.I64 && dtype != DType.I32) {
            throw unsupported("I64, I32");
        }
        return MappedFile.read(file, fileBytes, () -> {
            long[] values = new long[arrayLength()];
            if (dtype == DType.I64) {
                MemorySegment.copy(bytes, LONG, 0, values, 0, values.length);
            } else {
                for (int i = 0; i < values.length; i++) {
                    values[i] = bytes.get(INT, 4L * i);
                }
            }
            return values;
        });
    }

    private int arrayLength() {
        if (count() > Integer.MAX_VALUE - 8) {
            throw new ModelFormatException(file, part(), "%d elements do not fit in an array"
                    .formatted(count()));
        }
        return (int) count();
    }

    private ModelFormatException unsupported(String supported) {
        return new ModelFormatException(file, part(), "dtype %s cannot be read here; supported are %s"
                .formatted(dtype, supported));
    }

    private String part() {
        return "tensor " + Printable.quote(name);
    }

    @Override
    public String toString() {
        return name + " " + dtype + " " + Arrays.toString(shape);
    }
}
