package headscope.tensor;

import java.lang.foreign.MemorySegment;

/** Owns bytes on one device. Any use after {@link #close()} throws. */
public final class Buffer implements AutoCloseable {
    private final MemorySegment memory;
    private final Runnable release;
    private boolean closed;

    /**
     * @param memory  the bytes; on a GPU a segment whose address is a device pointer
     * @param release frees the bytes; called once
     */
    public Buffer(MemorySegment memory, Runnable release) {
        this.memory = memory;
        this.release = release;
    }

    public MemorySegment memory() {
        if (closed) {
            throw new IllegalStateException("a tensor was used after its buffer was closed");
        }
        return memory;
    }

    public boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release.run();
        }
    }
}
