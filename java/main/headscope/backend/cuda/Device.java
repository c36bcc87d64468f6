package headscope.backend.cuda;

import headscope.backend.Recording;
import headscope.backend.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/**
 * A device that runs kernels: a GPU, or the emulator in tests. Device memory is a segment that can be sliced and passed on, but not
 * read on the host. Launches, products, uploads and deallocations take effect in the order of the calls.
 */
interface Device extends AutoCloseable {
    /** For example the GPU's name. */
    String describe();

    /**
     * New bytes, zeroed.
     *
     * @throws headscope.backend.DeviceMemoryException if memory is exhausted
     */
    MemorySegment allocate(long bytes);

    /**
     * New bytes that the caller will write: they are not cleared.
     *
     * @throws headscope.backend.DeviceMemoryException if memory is exhausted
     */
    MemorySegment reserve(long bytes);

    void free(MemorySegment memory);

    /** Bytes that the device has free, at least: memory that was freed may be kept for later allocations. */
    long freeBytes();

    /** Bytes on the host, that are written where a device reads them. */
    interface HostBytes {
        /** Writes the bytes from an offset on, as many as the segment takes. */
        void write(long offset, MemorySegment to);
    }

    /** Copies host bytes to device bytes of the same length. Several threads may upload at the same time. */
    void upload(MemorySegment device, HostBytes host);

    /** Copies host bytes to device bytes of the same length. */
    default void upload(MemorySegment device, MemorySegment host) {
        upload(device, (offset, to) -> to.copyFrom(host.asSlice(offset, to.byteSize())));
    }

    /** Copies device bytes to host bytes of the same length, after all earlier launches. */
    void download(MemorySegment host, MemorySegment device);

    /**
     * Starts to copy device bytes to the host, after all earlier launches; later launches may change them. Only the copy that
     * was started last can be received.
     */
    void send(MemorySegment device);

    /** Waits for the bytes that were sent, as many as the host's. */
    void receive(MemorySegment host);

    /**
     * Memory that another process can open and write.
     *
     * @param most bytes of the largest piece that is read
     */
    SharedMemory share(long bytes, long most);

    /** Maximum number of bytes of shared memory per block. */
    int sharedMemory();

    /** A launch constant that a kernel family exports. */
    int constant(String name);

    /** Whether kernels with warp groups and tensor maps can run: only on Hopper (compute capability 9.0a). */
    boolean hasWarpGroups();

    /** Starts a kernel. Later launches and downloads see its results. */
    void launch(Launch launch);

    /** Starts a matrix product. Later launches and downloads see its result. */
    void multiply(Product product);

    /**
     * Records launches and products instead of starting them. Memory that is allocated meanwhile belongs to the recording,
     * and copies to or from the host are refused.
     *
     * @param work may run twice: it changes nothing but the device
     */
    Recording record(Runnable work);

    /** Runs the work and returns the seconds per kernel, in the order of the first launches. */
    SequencedMap<String, Double> time(Runnable work);

    @Override
    void close();
}
