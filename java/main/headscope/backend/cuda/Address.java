package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUdeviceptr;

/** An address as JCuda passes it, on the device or the host. */
final class Address extends CUdeviceptr {
    /** One that a call is about to set. */
    Address() {}

    Address(MemorySegment memory) {
        super(new CUdeviceptr(), memory.address());
    }

    /** The bytes at this address, to be named, not to be read. */
    @SuppressWarnings("restricted")
    MemorySegment named(long bytes) {
        return MemorySegment.ofAddress(getNativePointer() + getByteOffset()).reinterpret(bytes);
    }
}
