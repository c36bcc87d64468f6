package headscope.cli.terminal;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;

/**
 * Restores standard error: the launcher filters it while the JVM starts and passes the original as another file
 * descriptor, whose number is in {@code HEADSCOPE_STDERR}.
 */
public final class StandardError {
    private static final int STANDARD_ERROR = 2;

    private StandardError() {}

    /** Bypasses the filter from here on, so that a progress bar can redraw its line. */
    @SuppressWarnings("restricted")
    public static void restore() {
        String descriptor = System.getenv("HEADSCOPE_STDERR");
        if (descriptor == null) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        try {
            int ignored = (int) linker
                    .downcallHandle(linker.defaultLookup().findOrThrow("dup2"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT))
                    .invokeExact(Integer.parseInt(descriptor), STANDARD_ERROR);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }
}
