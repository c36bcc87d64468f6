package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * Launches that begin while the launch before them on the same stream still runs, once all of its blocks have let them: BEGINS_EARLY
 * of cuda/kernel.cuh. Through cuLaunchKernelEx, which JCuda does not have. Not thread-safe.
 */
final class EarlyLaunches {
    /** Compute capability, times ten, from which the driver starts them early. */
    static final int CAPABILITY = 90;

    /** CUlaunchAttribute: CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION. */
    private static final int SERIALIZATION = 6;

    private static final StructLayout ATTRIBUTE = MemoryLayout.structLayout(
            JAVA_INT.withName("id"), MemoryLayout.paddingLayout(4), JAVA_INT.withName("value"), MemoryLayout.paddingLayout(60));

    /** CUlaunchConfig. */
    private static final StructLayout CONFIGURATION = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(3, JAVA_INT).withName("grid"), MemoryLayout.sequenceLayout(3, JAVA_INT).withName("block"),
            JAVA_INT.withName("shared"), MemoryLayout.paddingLayout(4), ADDRESS.withName("stream"),
            ADDRESS.withName("attributes"), JAVA_INT.withName("count"), MemoryLayout.paddingLayout(4));

    private static final long GRID = offset("grid");
    private static final long THREADS = offset("block");
    private static final long SHARED = offset("shared");

    private final MethodHandle launch;
    /** Of the current launch; the driver copies it. */
    private final MemorySegment configuration;

    @SuppressWarnings("restricted")
    EarlyLaunches(Stream stream) {
        SymbolLookup driver = SymbolLookup.libraryLookup(NvidiaDriver.LIBRARY, Arena.global());
        launch = Linker.nativeLinker().downcallHandle(
                driver.findOrThrow("cuLaunchKernelEx"), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        Arena memory = Arena.ofAuto();
        MemorySegment attribute = memory.allocate(ATTRIBUTE);
        attribute.set(JAVA_INT, ATTRIBUTE.byteOffset(PathElement.groupElement("id")), SERIALIZATION);
        attribute.set(JAVA_INT, ATTRIBUTE.byteOffset(PathElement.groupElement("value")), 1);
        configuration = memory.allocate(CONFIGURATION);
        configuration.set(JAVA_INT, THREADS + JAVA_INT.byteSize(), 1);
        configuration.set(JAVA_INT, THREADS + 2 * JAVA_INT.byteSize(), 1);
        configuration.set(ADDRESS, offset("stream"), stream.handle());
        configuration.set(ADDRESS, offset("attributes"), attribute);
        configuration.set(JAVA_INT, offset("count"), 1);
    }

    private static long offset(String field) {
        return CONFIGURATION.byteOffset(PathElement.groupElement(field));
    }

    /** @return CUresult */
    int launch(Modules.Function function, Launch launched, MemorySegment parameters) {
        configuration.set(JAVA_INT, GRID, Math.toIntExact(launched.gridX()));
        configuration.set(JAVA_INT, GRID + JAVA_INT.byteSize(), Math.toIntExact(launched.gridY()));
        configuration.set(JAVA_INT, GRID + 2 * JAVA_INT.byteSize(), Math.toIntExact(launched.gridZ()));
        configuration.set(JAVA_INT, THREADS, launched.threads());
        configuration.set(JAVA_INT, SHARED, launched.shared());
        try {
            return (int) launch.invokeExact(configuration, function.handle(), parameters, MemorySegment.NULL);
        } catch (Throwable failure) {
            throw new AssertionError("C functions throw nothing", failure);
        }
    }
}
