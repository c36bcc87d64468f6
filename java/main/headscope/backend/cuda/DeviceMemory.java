package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Device memory with counts of live and peak bytes. */
final class DeviceMemory {
    private final Device device;
    private final AtomicLong live = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();

    DeviceMemory(Device device) {
        this.device = device;
    }

    /** New bytes, zeroed. */
    MemorySegment allocate(long bytes) {
        return counted(device.allocate(bytes));
    }

    /** New bytes, not cleared. */
    MemorySegment reserve(long bytes) {
        return counted(device.reserve(bytes));
    }

    private MemorySegment counted(MemorySegment memory) {
        peak.accumulateAndGet(live.addAndGet(memory.byteSize()), Math::max);
        return memory;
    }

    void free(MemorySegment memory) {
        device.free(memory);
        live.addAndGet(-memory.byteSize());
    }

    long liveBytes() {
        return live.get();
    }

    /** The maximum number of live bytes since the last call. */
    long peakBytes() {
        return peak.getAndSet(live.get());
    }
}
