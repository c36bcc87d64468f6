package headscope.cli;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;

/** The launcher filters what the JVM says before {@code main}, and leaves the true standard error at a descriptor. */
public final class StandardError {
    private static final int STANDARD_ERROR = 2;

    private StandardError() {}

    /** Writes go straight to the terminal again, so that progress can redraw its line. */
    @SuppressWarnings("restricted")
    public static void takeBack() {
        String kept = System.getenv("HEADSCOPE_STDERR");
        if (kept == null) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        try {
            int ignored = (int) linker
                    .downcallHandle(linker.defaultLookup().findOrThrow("dup2"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT))
                    .invokeExact(Integer.parseInt(kept), STANDARD_ERROR);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }
}
