package headscope.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Temporary memory of operations, kept for later calls until {@link #close}. */
final class Scratch implements AutoCloseable {
    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final AtomicLong bytes = new AtomicLong();

    /**
     * Returns the memory if it is large enough, otherwise new memory; the old memory stays allocated until {@link #close}.
     */
    MemorySegment grow(MemorySegment memory, long needed) {
        if (memory.byteSize() >= needed) {
            return memory;
        }
        // Doubling bounds the number of old segments of a text that grows token by token.
        long size = Math.max(needed, 2 * memory.byteSize());
        bytes.addAndGet(size);
        return arena.allocate(size, ALIGNMENT);
    }

    /** Bytes allocated so far. */
    long bytes() {
        return bytes.get();
    }

    @Override
    public void close() {
        arena.close();
    }
}
