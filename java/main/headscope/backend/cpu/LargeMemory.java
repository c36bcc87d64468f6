package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Zeroed memory from the operating system. Unlike {@link Arena#allocate}, which clears memory on the caller's thread, pages are
 * cleared when they are first touched: by the threads that fill them, and once. It does not ask for huge pages: where memory is
 * fragmented, 2 GB of them took 5 s to get, and small ones 0.7 s.
 */
@SuppressWarnings("restricted")
final class LargeMemory {
    /** Smaller blocks are taken from the C library, which reuses them. */
    static final long LEAST = 4 << 20;

    private static final int READ_WRITE = 3; // PROT_READ | PROT_WRITE
    private static final int PRIVATE_ANONYMOUS = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
    private static final int POPULATE_WRITE = 23; // MADV_POPULATE_WRITE, Linux 5.14
    private static final long PAGE = 4096;
    private static final long FAILED = -1;

    private static final MethodHandle MMAP = bind("mmap",
            FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP = bind("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle MADVISE =
            bind("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private LargeMemory() {}

    /** New bytes until the arena is closed, page-aligned. */
    static MemorySegment allocate(long bytes, Arena arena) {
        try {
            MemorySegment start = (MemorySegment) MMAP.invokeExact(
                    MemorySegment.NULL, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (start.address() == FAILED) {
                throw new OutOfMemoryError("the system has no %d bytes of memory left".formatted(bytes));
            }
            return start.reinterpret(bytes, arena, memory -> free(memory, bytes));
        } catch (Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    /** Gets the pages of memory that is about to be filled, in one call instead of by a fault for each; it may do nothing. */
    static void populate(MemorySegment memory) {
        long start = memory.address() / PAGE * PAGE;
        try {
            int status = (int) MADVISE.invokeExact(
                    MemorySegment.ofAddress(start), memory.address() + memory.byteSize() - start, POPULATE_WRITE);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    private static void free(MemorySegment memory, long bytes) {
        try {
            int freed = (int) MUNMAP.invokeExact(memory, bytes);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    private static MethodHandle bind(String name, FunctionDescriptor signature) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), signature);
    }
}
