package headscope.live;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The scheduling priority of threads that show what a model does, on Linux; Java's own thread priorities have no effect there.
 * Such threads give way to those of the model: on a machine without GPU, all run on the same cores.
 */
public final class ThreadPriority {
    /** From 0 to 19 the share of a busy core falls from a half to 1.5 %. */
    private static final int NICE = 19;

    private static final int PRIO_PROCESS = 0;

    /** The calling thread: on Linux each thread has a priority of its own. */
    private static final int SELF = 0;

    private ThreadPriority() {}

    /**
     * Lets the threads of a model run before the calling one when they need all cores. Threads that it starts later, such as
     * those of Mesa's software renderer, inherit this.
     */
    @SuppressWarnings("restricted") // the launcher allows native access
    public static void giveWay() {
        Linker linker = Linker.nativeLinker();
        MethodHandle setpriority = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setpriority"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try {
            int unused = (int) setpriority.invokeExact(PRIO_PROCESS, SELF, NICE);
        } catch (Throwable impossible) {
            throw new IllegalStateException("setpriority", impossible);
        }
    }
}
