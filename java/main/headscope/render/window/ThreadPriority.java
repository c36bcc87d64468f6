package headscope.render.window;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The scheduling priority of a thread on Linux; Java's own thread priorities have no effect there. */
final class ThreadPriority {
    private static final int PRIO_PROCESS = 0;

    /** The calling thread: on Linux each thread has a priority of its own. */
    private static final int SELF = 0;

    private ThreadPriority() {}

    /**
     * Lets other threads run first when they need all cores. Threads that the calling thread starts later, such as those
     * of Mesa's software renderer, inherit it.
     *
     * @param nice 1 to 19; from 0 to 19 the share of a busy core falls from a half to 1.5 %
     */
    @SuppressWarnings("restricted") // the launcher allows native access
    static void lower(int nice) {
        Linker linker = Linker.nativeLinker();
        MethodHandle setpriority = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setpriority"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try {
            int unused = (int) setpriority.invokeExact(PRIO_PROCESS, SELF, nice);
        } catch (Throwable impossible) {
            throw new IllegalStateException("setpriority", impossible);
        }
    }
}
