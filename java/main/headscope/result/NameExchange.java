package headscope.result;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Exchanges the names of two files or folders of one file system in one step, by Linux's {@code renameat2} with
 * RENAME_EXCHANGE (glibc 2.28, kernel 3.15). Not every file system can: NFS cannot.
 */
final class NameExchange {
    private static final int AT_FDCWD = -100;
    private static final int RENAME_EXCHANGE = 2;

    private NameExchange() {}

    /** Returns false, and changes nothing, if the names were not exchanged for whatever reason. */
    @SuppressWarnings("restricted") // the types above are those of the manual page renameat2(2)
    static boolean exchange(Path a, Path b) {
        Optional<MemorySegment> function = Linker.nativeLinker().defaultLookup().find("renameat2");
        if (function.isEmpty()) {
            return false;
        }
        MethodHandle renameat2 = Linker.nativeLinker().downcallHandle(function.get(), FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
        // the encoding of file names; a name that it cannot express is not found, hence not exchanged
        Charset names = Charset.forName(System.getProperty("sun.jnu.encoding"));
        try (Arena arena = Arena.ofConfined()) {
            return (int) renameat2.invokeExact(
                    AT_FDCWD, arena.allocateFrom(a.toString(), names),
                    AT_FDCWD, arena.allocateFrom(b.toString(), names), RENAME_EXCHANGE) == 0;
        } catch (Throwable impossible) {
            throw new AssertionError("renameat2 throws nothing", impossible);
        }
    }
}
