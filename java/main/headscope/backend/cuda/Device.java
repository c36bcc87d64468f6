package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/**
 * The narrow seam between the backend and whatever runs kernels. Memory on the device is a segment that names an
 * address: it can be sliced and passed, not read. Launches, products, uploads and what is freed keep their order.
 */
interface Device extends AutoCloseable {
    /** Such as a GPU's name. */
    String describe();

    /**
     * New bytes, zeroed.
     *
     * @throws headscope.backend.DeviceMemoryException if there is no room
     */
    MemorySegment allocate(long bytes);

    void free(MemorySegment memory);

    /** Host bytes -> device bytes of the same length. */
    void upload(MemorySegment device, MemorySegment host);

    /** Device bytes -> host bytes of the same length, after every launch before it. */
    void download(MemorySegment host, MemorySegment device);

    /** Bytes of shared memory that a block may have. */
    int sharedMemory();

    /** A launch constant that a kernel family exports. */
    int constant(String name);

    /** Starts a kernel; later launches and downloads see what it wrote. */
    void launch(Launch launch);

    /** Starts a matrix product, likewise. */
    void multiply(Product product);

    /** Runs the work, and tells the seconds of each kernel that it launched, in the order of their first launch. */
    SequencedMap<String, Double> time(Runnable work);

    @Override
    void close();
}
