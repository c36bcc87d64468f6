package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every order, copied at once and in pieces of any length, for elements of every size. */
class StoredOrderTest {
    @ParameterizedTest
    @CsvSource({"1, 1, 1, 1", "1, 5, 3, 1", "1, 33, 70, 1", "3, 17, 33, 2", "2, 1, 40, 2", "4, 65, 1, 1"})
    void transposed(int matrices, int in, int out, int stride) {
        int elements = matrices * in * out * stride;
        same(StoredOrder.transposed(in, out, stride), elements, elements, at -> {
            int matrix = at / (in * out * stride);
            int part = at / (in * out) % stride;
            int row = at / in % out;
            int column = at % in;
            return (matrix * in + column) * out * stride + row * stride + part;
        });
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "4, 1", "4, 7", "3, 64"})
    void blocks(int heads, int width) {
        same(StoredOrder.blocks(width, block -> block % heads * 3 + block / heads), 3 * heads * width, 3 * heads * width, at -> {
            int part = at / width / heads;
            int head = at / width % heads;
            return (head * 3 + part) * width + at % width;
        });
    }

    private static void same(StoredOrder order, int stored, int used, IntUnaryOperator source) {
        for (int bytes : new int[] {2, 4, 8}) {
            byte[] elements = new byte[stored * bytes];
            for (int i = 0; i < stored; i++) {
                ByteBuffer.wrap(elements).order(ByteOrder.LITTLE_ENDIAN).putShort(i * bytes, (short) i);
            }
            for (int piece : new int[] {used, 1, 2, 7, 100}) {
                byte[] found = new byte[used * bytes];
                for (int first = 0; first < used; first += piece) {
                    order.copy(MemorySegment.ofArray(elements), bytes, first, MemorySegment.ofArray(found)
                            .asSlice((long) first * bytes, (long) Math.min(piece, used - first) * bytes));
                }
                for (int i = 0; i < used; i++) {
                    assertEquals(source.applyAsInt(i) & 0xffff,
                            ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN).getShort(i * bytes) & 0xffff,
                            "element %d in pieces of %d".formatted(i, piece));
                }
            }
        }
    }
}
