package headscope.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Memory that an operation needs besides its arguments, kept for the next call until {@link #close}. */
final class Scratch implements AutoCloseable {
    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final AtomicLong bytes = new AtomicLong();

    /** The memory itself if it is large enough, or else new memory; what was outgrown stays behind. */
    MemorySegment grow(MemorySegment memory, long needed) {
        if (memory.byteSize() >= needed) {
            return memory;
        }
        // Twice as much as before: a text that grows by one token at a time would else leave one behind for each.
        long size = Math.max(needed, 2 * memory.byteSize());
        bytes.addAndGet(size);
        return arena.allocate(size, ALIGNMENT);
    }

    /** All that was ever allocated. */
    long bytes() {
        return bytes.get();
    }

    @Override
    public void close() {
        arena.close();
    }
}
