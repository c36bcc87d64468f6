package headscope.model;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

/** The order in which the elements of a stored tensor are used. */
interface StoredOrder {
    /** Rows that are transposed together: a line of the cache holds so many elements of 16 bits. */
    int TILE_ROWS = 32;
    /** Columns that are transposed together: so many lines stay in the first-level cache. */
    int TILE_COLUMNS = 16;

    /** As they are stored. */
    StoredOrder SAME = (stored, bytes, first, to) -> MemorySegment.copy(stored, first * bytes, to, 0, to.byteSize());

    /**
     * Copies consecutive elements.
     *
     * @param stored all bytes of the tensor
     * @param bytes  of one element
     * @param first  index of the first element, in the order of use
     * @param to     receives as many elements as it has room for
     */
    void copy(MemorySegment stored, int bytes, long first, MemorySegment to);

    /**
     * Consecutive blocks in another order.
     *
     * @param length elements of a block
     * @param source the stored block of a block
     */
    static StoredOrder blocks(long length, LongUnaryOperator source) {
        return (stored, bytes, first, to) -> {
            long end = first + to.byteSize() / bytes;
            long next;
            for (long at = first; at < end; at = next) {
                next = Math.min(end, (at / length + 1) * length);
                long from = source.applyAsLong(at / length) * length + at % length;
                MemorySegment.copy(stored, from * bytes, to, (at - first) * bytes, (next - at) * bytes);
            }
        };
    }

    /**
     * Matrices that are stored as [in, out * stride] and used as [stride, out, in]: columns 0, stride, ..., then columns 1,
     * 1 + stride, ...
     *
     * @param in  columns of a used matrix
     * @param out rows of a used matrix
     */
    static StoredOrder transposed(long in, long out, int stride) {
        return (stored, bytes, first, to) -> {
            long end = first + to.byteSize() / bytes;
            for (long rows = first / in; rows * in < end; rows += TILE_ROWS) {
                for (long columns = 0; columns < in; columns += TILE_COLUMNS) {
                    for (long row = rows; row < rows + TILE_ROWS; row++) {
                        long start = (row / (stride * out) * in * out + row % out) * stride + row / out % stride;
                        long until = Math.min(Math.min(in, columns + TILE_COLUMNS), end - row * in);
                        for (long column = Math.max(columns, first - row * in); column < until; column++) {
                            copyOne(stored, start + column * out * stride, to, row * in + column - first, bytes);
                        }
                    }
                }
            }
        };
    }

    private static void copyOne(MemorySegment stored, long from, MemorySegment to, long at, int bytes) {
        switch (bytes) {
            case 2 -> to.setAtIndex(JAVA_SHORT_UNALIGNED, at, stored.getAtIndex(JAVA_SHORT_UNALIGNED, from));
            case 4 -> to.setAtIndex(JAVA_INT_UNALIGNED, at, stored.getAtIndex(JAVA_INT_UNALIGNED, from));
            default -> to.setAtIndex(JAVA_LONG_UNALIGNED, at, stored.getAtIndex(JAVA_LONG_UNALIGNED, from));
        }
    }
}
