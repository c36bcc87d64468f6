package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TensorTest {
    /** Elements 0, 1, 2, ... */
    private static Tensor counting(long... shape) {
        float[] values = new float[(int) Tensor.count(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        MemorySegment memory = MemorySegment.ofBuffer(
                ByteBuffer.allocateDirect(values.length * Float.BYTES));
        memory.copyFrom(MemorySegment.ofArray(values));
        return Tensor.of(new Buffer(memory, () -> {}), DType.F32, shape);
    }

    private static float[] floats(Tensor tensor) {
        return tensor.bytes().toArray(ValueLayout.JAVA_FLOAT);
    }

    private static void assertRejected(String message, Executable action) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, action).getMessage());
    }

    @Test
    void shape() {
        Tensor tensor = counting(2, 3, 4);
        assertEquals(3, tensor.rank());
        assertEquals(24, tensor.count());
        assertEquals(4, tensor.size(2));
        assertEquals(3, tensor.intSize(1));
        assertTrue(tensor.hasShape(2, 3, 4));
        assertFalse(tensor.hasShape(2, 12));
        assertEquals("F32[2, 3, 4]", tensor.toString());
        tensor.shape()[0] = 9;
        assertArrayEquals(new long[] {2, 3, 4}, tensor.shape());
    }

    @Test
    void rowsAreAView() {
        Tensor tensor = counting(4, 3);
        assertArrayEquals(new float[] {3, 4, 5, 6, 7, 8}, floats(tensor.rows(1, 2)));
        assertArrayEquals(new float[] {6, 7, 8}, floats(tensor.rows(1, 2).rows(1, 1)));
        assertEquals(0, tensor.rows(4, 0).count());
        tensor.rows(2, 1).bytes().setAtIndex(ValueLayout.JAVA_FLOAT, 0, -1);
        assertEquals(-1, floats(tensor)[6]);
    }

    @Test
    void rowsOutOfRange() {
        Tensor tensor = counting(4, 3);
        assertRejected("2 rows from row 3 of a tensor with 4 rows", () -> tensor.rows(3, 2));
        assertRejected("1 rows from row -1 of a tensor with 4 rows", () -> tensor.rows(-1, 1));
        assertRejected("-1 rows from row 2 of a tensor with 4 rows", () -> tensor.rows(2, -1));
        assertThrows(IllegalArgumentException.class, () -> tensor.rows(1, Long.MAX_VALUE));
        assertThrows(IllegalArgumentException.class, () -> tensor.rows(2, 2).rows(1, 2));
    }

    @Test
    void reshaping() {
        Tensor part = counting(4, 3).rows(1, 2);
        assertArrayEquals(floats(part), floats(part.as(6)));
        assertArrayEquals(new float[] {6, 7, 8}, floats(part.as(2, 1, 3).rows(1, 1)));
        assertRejected("[2, 3] cannot be reshaped to [5]", () -> part.as(5));
    }

    @Test
    void bufferOfWrongSize() {
        Buffer buffer = new Buffer(MemorySegment.ofArray(new byte[24]), () -> {});
        assertRejected("F32 [2, 4] takes 32 bytes, the buffer has 24", () -> Tensor.of(buffer, DType.F32, 2, 4));
        assertRejected("BF16 [2] takes 4 bytes, the buffer has 24", () -> Tensor.of(buffer, DType.BF16, 2));
        assertEquals(3, Tensor.of(buffer, DType.F64, 3).count());
    }

    @Test
    void countRejectsOverflow() {
        assertEquals(1, Tensor.count(new long[0]));
        assertEquals(0, Tensor.count(5, 0));
        assertEquals(3_000_000_000L, Tensor.count(3, 1_000_000_000));
        assertRejected("negative size in shape [2, -1]", () -> Tensor.count(2, -1));
        assertThrows(ArithmeticException.class, () -> Tensor.count(1L << 32, 1L << 32));
        assertThrows(ArithmeticException.class, () -> counting(1).rows(0, 1).as(1L << 40, 1L << 40));
    }
}
