package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** A device's memory, counted. */
final class DeviceMemory {
    private final Device device;
    private final AtomicLong live = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();

    DeviceMemory(Device device) {
        this.device = device;
    }

    /** New bytes, zeroed. */
    MemorySegment allocate(long bytes) {
        MemorySegment memory = device.allocate(bytes);
        peak.accumulateAndGet(live.addAndGet(bytes), Math::max);
        return memory;
    }

    void free(MemorySegment memory) {
        device.free(memory);
        live.addAndGet(-memory.byteSize());
    }

    long liveBytes() {
        return live.get();
    }

    /** The most that was live at once since this was last asked. */
    long peakBytes() {
        return peak.getAndSet(live.get());
    }
}
