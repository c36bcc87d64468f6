package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import headscope.backend.SharedMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/** Memory of a GPU that another process opens: not from a pool, whose memory has no such handle. */
final class ExportedMemory implements SharedMemory {
    private static final int HANDLE = 64;
    private static final int UUID = 16;

    /** The driver exports whole blocks of this size; memory of others would share one. */
    private static final long BLOCK = 2 << 20;

    private final Runnable enter;
    private final Stream compute;
    private final Stream copies = new Stream();
    private final Address shared = new Address();
    private final Address piece = new Address();
    private final long bytes;
    private final byte[] handle;
    private final byte[] uuid;

    /**
     * Requires a current context.
     *
     * @param enter   makes the context that of the calling thread
     * @param compute its work reads the pieces
     * @param most    bytes of a piece
     */
    ExportedMemory(int ordinal, Runnable enter, Stream compute, long bytes, long most) {
        this.enter = enter;
        this.compute = compute;
        this.bytes = bytes;
        NvidiaDriver.require(JCudaDriver.cuMemAlloc(shared, (bytes + BLOCK - 1) / BLOCK * BLOCK), "cuMemAlloc of %d bytes", bytes);
        NvidiaDriver.require(JCudaDriver.cuMemAlloc(piece, most), "cuMemAlloc of %d bytes", most);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment exported = call.allocate(HANDLE);
            NvidiaDriver.require(
                    NvidiaDriver.call("cuIpcGetMemHandle", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG))
                            .status(exported, shared.segment(0).address()), "cuIpcGetMemHandle");
            this.handle = exported.toArray(JAVA_BYTE);
            MemorySegment identity = call.allocate(UUID);
            NvidiaDriver.require(
                    NvidiaDriver.call("cuDeviceGetUuid_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT))
                            .status(identity, ordinal), "cuDeviceGetUuid");
            this.uuid = identity.toArray(JAVA_BYTE);
        }
    }

    @Override
    public byte[] handle() {
        return handle.clone();
    }

    @Override
    public byte[] uuid() {
        return uuid.clone();
    }

    @Override
    public MemorySegment read(long offset, long count) {
        enter.run();
        MemorySegment from = shared.segment(bytes).asSlice(offset, count);
        copies.follow(compute); // which may still read the piece before
        NvidiaDriver.require(
                JCudaDriver.cuMemcpyDtoDAsync(piece, new Address(from), count, copies), "copy of %d bytes", count);
        copies.synchronise();
        return piece.segment(count);
    }

    @Override
    public void close() {
        enter.run();
        copies.close();
        NvidiaDriver.require(JCudaDriver.cuMemFree(piece), "cuMemFree");
        NvidiaDriver.require(JCudaDriver.cuMemFree(shared), "cuMemFree");
    }
}
