package headscope.bench;

import headscope.live.ThreadPriority;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A low priority that the processes of a thread cannot raise again, as Chromium does with its own if it may. */
final class LastingPriority {
    private static final int PR_CAPBSET_DROP = 24;
    private static final long CAP_SYS_NICE = 23;

    private LastingPriority() {}

    /** Processes that the calling thread starts give way to all others, also if root starts them. */
    @SuppressWarnings("restricted") // the launcher allows native access
    static void giveWay() {
        ThreadPriority.giveWay();
        Linker linker = Linker.nativeLinker();
        MethodHandle prctl = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("prctl"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG),
                Linker.Option.firstVariadicArg(1));
        try {
            // Fails for users without the capability.
            int unused = (int) prctl.invokeExact(PR_CAPBSET_DROP, CAP_SYS_NICE, 0L, 0L, 0L);
        } catch (Throwable impossible) {
            throw new IllegalStateException("prctl", impossible);
        }
    }
}
