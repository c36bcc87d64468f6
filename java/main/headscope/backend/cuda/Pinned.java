package headscope.backend.cuda;

import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/** A buffer of host memory that the device reads and writes by itself, and the end of its last transfer. */
final class Pinned implements AutoCloseable {
    private final Address address = new Address();
    private final CUevent transferred = new CUevent();

    Pinned(long bytes) {
        NvidiaDriver.require(JCudaDriver.cuMemHostAlloc(address, bytes, 0), "cuMemHostAlloc of %d bytes", bytes);
        NvidiaDriver.require(JCudaDriver.cuEventCreate(transferred, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    }

    MemorySegment segment(long bytes) {
        return address.segment(bytes);
    }

    /** Starts a transfer to device memory, on a stream. */
    void send(MemorySegment device, Stream stream) {
        NvidiaDriver.require(
                JCudaDriver.cuMemcpyHtoDAsync(new Address(device), address, device.byteSize(), stream),
                "upload of %d bytes", device.byteSize());
        NvidiaDriver.require(JCudaDriver.cuEventRecord(transferred, stream), "cuEventRecord");
    }

    /** Starts a transfer from device memory, on a stream. */
    void receive(MemorySegment device, Stream stream) {
        NvidiaDriver.require(
                JCudaDriver.cuMemcpyDtoHAsync(address, new Address(device), device.byteSize(), stream),
                "download of %d bytes", device.byteSize());
        NvidiaDriver.require(JCudaDriver.cuEventRecord(transferred, stream), "cuEventRecord");
    }

    /** Waits for the last transfer. */
    void await() {
        NvidiaDriver.require(JCudaDriver.cuEventSynchronize(transferred), "copy or a kernel before it");
    }

    @Override
    public void close() {
        JCudaDriver.cuEventDestroy(transferred);
        JCudaDriver.cuMemFreeHost(address);
    }
}
