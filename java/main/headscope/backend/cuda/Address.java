package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUdeviceptr;

/** A device or host address, as an argument of JCuda. */
final class Address extends CUdeviceptr {
    /** An output argument. */
    Address() {}

    Address(MemorySegment memory) {
        super(new CUdeviceptr(), memory.address());
    }

    /** The bytes at this address, as a segment that must not be read on the host if it is device memory. */
    @SuppressWarnings("restricted")
    MemorySegment segment(long bytes) {
        return MemorySegment.ofAddress(getNativePointer() + getByteOffset()).reinterpret(bytes);
    }
}
