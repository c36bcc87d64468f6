package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BufferTest {
    @Test
    void closeReleasesOnce() {
        AtomicInteger released = new AtomicInteger();
        Buffer buffer = new Buffer(MemorySegment.ofArray(new byte[8]), released::incrementAndGet);
        assertTrue(buffer.isOpen());
        assertEquals(0, released.get());
        buffer.close();
        buffer.close();
        assertEquals(1, released.get());
        assertFalse(buffer.isOpen());
    }

    @Test
    void useAfterCloseThrows() {
        Buffer buffer = new Buffer(MemorySegment.ofArray(new byte[8]), () -> {});
        Tensor tensor = Tensor.of(buffer, DType.F32, 2, 1);
        Tensor row = tensor.rows(1, 1);
        buffer.close();
        assertThrows(IllegalStateException.class, buffer::memory);
        assertThrows(IllegalStateException.class, tensor::bytes);
        assertThrows(IllegalStateException.class, row::bytes);
        assertThrows(IllegalStateException.class, () -> Tensor.of(buffer, DType.F32, 2));
    }
}
