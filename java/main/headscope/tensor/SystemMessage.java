package headscope.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.util.Optional;

/** The C library's messages for error numbers, in the language of the process, from which the JDK makes its own. */
final class SystemMessage {
    private static final int MAX_BYTES = 1024;

    private SystemMessage() {}

    /** @param number such as 28 (ENOSPC); empty if the C library has no strerror */
    @SuppressWarnings("restricted") // char *strerror(int errnum)
    static Optional<String> of(int number) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find("strerror").map(function -> {
            try {
                MemorySegment text = (MemorySegment) linker.downcallHandle(function, FunctionDescriptor.of(
                        ValueLayout.ADDRESS, ValueLayout.JAVA_INT)).invokeExact(number);
                return text.reinterpret(MAX_BYTES).getString(0, Charset.forName(System.getProperty("sun.jnu.encoding")));
            } catch (Throwable impossible) {
                throw new AssertionError("strerror throws nothing", impossible);
            }
        });
    }
}
