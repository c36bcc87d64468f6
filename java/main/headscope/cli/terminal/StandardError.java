package headscope.cli.terminal;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;

/**
 * Standard error: the launcher filters it while the JVM starts and passes the original as another file descriptor, whose
 * number is in {@code HEADSCOPE_STDERR}. The first byte restores the original, so that a progress bar can redraw its
 * line; a command that prints no error does not need the JDK's linker, which takes longer than the rest of its work.
 */
public final class StandardError extends OutputStream {
    private static final int STANDARD_ERROR = 2;

    private final OutputStream out = new FileOutputStream(FileDescriptor.err);
    private boolean filtered = System.getenv("HEADSCOPE_STDERR") != null;

    @Override
    public void write(int one) throws IOException {
        restore();
        out.write(one);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        restore();
        out.write(bytes, from, count);
    }

    /** Bypasses the filter from here on. */
    @SuppressWarnings("restricted")
    private synchronized void restore() {
        if (!filtered) {
            return;
        }
        filtered = false;
        Linker linker = Linker.nativeLinker();
        try {
            int ignored = (int) linker
                    .downcallHandle(linker.defaultLookup().findOrThrow("dup2"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT))
                    .invokeExact(Integer.parseInt(System.getenv("HEADSCOPE_STDERR")), STANDARD_ERROR);
        } catch (Throwable failure) {
            // the filter passes on what is printed
        }
    }
}
