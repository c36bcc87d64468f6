package headscope.backend;

import java.lang.foreign.MemorySegment;

/** Device memory that another process on this machine opens by a handle and writes. The caller closes it. */
public interface SharedMemory extends AutoCloseable {
    /** A CUipcMemHandle, 64 bytes. */
    byte[] handle();

    /** Of the GPU, 16 bytes. */
    byte[] uuid();

    /**
     * Copies what the other process has written to device memory that the next call overwrites, and returns it when the
     * copy is complete.
     *
     * @param bytes at most the largest piece that was announced
     */
    MemorySegment read(long offset, long bytes);

    /** Frees the memory. The other process must have closed the handle. */
    @Override
    void close();
}
