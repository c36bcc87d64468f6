package headscope.backend.cuda;

import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/**
 * Copies between the device and any host memory, on a stream of their own, through two pinned buffers: one is transferred
 * while the host fills or reads the other.
 */
final class Staging implements AutoCloseable {
    private static final int BUFFERS = 2;
    private static final long BYTES = 8 << 20;

    private final Stream compute;
    private final Stream copies;
    private final Address[] pinned = new Address[BUFFERS];
    private final CUevent[] arrived = new CUevent[BUFFERS];

    /** @param compute copies wait for its earlier work, and its later work waits for uploads */
    Staging(Stream compute) {
        this.compute = compute;
        this.copies = new Stream();
        for (int i = 0; i < BUFFERS; i++) {
            pinned[i] = new Address();
            NvidiaDriver.require(JCudaDriver.cuMemHostAlloc(pinned[i], BYTES, 0), "cuMemHostAlloc of %d bytes", BYTES);
            arrived[i] = new CUevent();
            NvidiaDriver.require(JCudaDriver.cuEventCreate(arrived[i], CU_EVENT_DISABLE_TIMING), "cuEventCreate");
        }
    }

    /** Returns when the host memory may be reused; the transfer may still be running. */
    void upload(MemorySegment device, MemorySegment host) {
        copies.follow(compute);
        for (int piece = 0; piece < pieces(host); piece++) {
            await(piece);
            MemorySegment from = part(host, piece);
            buffer(piece, from.byteSize()).copyFrom(from);
            NvidiaDriver.require(
                    JCudaDriver.cuMemcpyHtoDAsync(
                            new Address(part(device, piece)), pinned[piece % BUFFERS], from.byteSize(), copies),
                    "upload of %d bytes", host.byteSize());
            NvidiaDriver.require(JCudaDriver.cuEventRecord(arrived[piece % BUFFERS], copies), "cuEventRecord");
        }
        compute.follow(copies);
    }

    /** Returns when the transfer is complete. */
    void download(MemorySegment host, MemorySegment device) {
        copies.follow(compute);
        for (int piece = 0; piece <= pieces(host); piece++) {
            if (piece < pieces(host)) {
                MemorySegment from = part(device, piece);
                NvidiaDriver.require(
                        JCudaDriver.cuMemcpyDtoHAsync(
                                pinned[piece % BUFFERS], new Address(from), from.byteSize(), copies),
                        "download of %d bytes", host.byteSize());
                NvidiaDriver.require(JCudaDriver.cuEventRecord(arrived[piece % BUFFERS], copies), "cuEventRecord");
            }
            if (piece > 0) {
                await(piece - 1);
                MemorySegment to = part(host, piece - 1);
                to.copyFrom(buffer(piece - 1, to.byteSize()));
            }
        }
    }

    private static int pieces(MemorySegment all) {
        return Math.toIntExact((all.byteSize() + BYTES - 1) / BYTES);
    }

    private static MemorySegment part(MemorySegment all, int piece) {
        return all.asSlice(piece * BYTES, Math.min(BYTES, all.byteSize() - piece * BYTES));
    }

    private MemorySegment buffer(int piece, long bytes) {
        return pinned[piece % BUFFERS].segment(bytes);
    }

    private void await(int piece) {
        NvidiaDriver.require(JCudaDriver.cuEventSynchronize(arrived[piece % BUFFERS]), "copy or a kernel before it");
    }

    @Override
    public void close() {
        for (int i = 0; i < BUFFERS; i++) {
            JCudaDriver.cuEventDestroy(arrived[i]);
            JCudaDriver.cuMemFreeHost(pinned[i]);
        }
        copies.close();
    }
}
