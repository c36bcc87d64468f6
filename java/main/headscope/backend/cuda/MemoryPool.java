package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * The default memory pool of a device. JCuda does not bind these three functions.
 *
 * @param ordinal of the device
 */
record MemoryPool(int ordinal) {
    private static final int RELEASE_THRESHOLD = 4; // CU_MEMPOOL_ATTR_RELEASE_THRESHOLD

    /** Keeps freed memory in the pool instead of returning it to the device at every synchronisation. */
    void keep() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment all = call.allocateFrom(JAVA_LONG, -1L);
            ForeignCall attribute = NvidiaDriver.call(
                    "cuMemPoolSetAttribute", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
            NvidiaDriver.require(attribute.status(handle(call), RELEASE_THRESHOLD, all), "cuMemPoolSetAttribute");
        }
    }

    /** Returns unused memory to the device. */
    void trim() {
        try (Arena call = Arena.ofConfined()) {
            ForeignCall trim = NvidiaDriver.call("cuMemPoolTrimTo", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
            NvidiaDriver.require(trim.status(handle(call), 0L), "cuMemPoolTrimTo");
        }
    }

    private MemorySegment handle(Arena arena) {
        MemorySegment pool = arena.allocate(ADDRESS);
        ForeignCall get = NvidiaDriver.call("cuDeviceGetDefaultMemPool", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        NvidiaDriver.require(get.status(pool, ordinal), "cuDeviceGetDefaultMemPool");
        return pool.get(ADDRESS, 0);
    }
}
