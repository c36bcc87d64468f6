package headscope.live.ring;

import java.lang.foreign.MemorySegment;

/** GPU memory that a producer in another process opens and writes in place of the payloads of a ring's slots. */
public interface GpuSlots {
    /** A CUipcMemHandle, 64 bytes. */
    byte[] handle();

    /** Of the GPU, 16 bytes. */
    byte[] uuid();

    /** Copies bytes to memory of the GPU that the next call overwrites; returns when the copy is complete. */
    MemorySegment read(long offset, long bytes);
}
