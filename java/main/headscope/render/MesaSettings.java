package headscope.render;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/** Environment variables of Mesa, the OpenGL implementation on machines without a GPU. */
final class MesaSettings {
    /** Variables that the user has set are unchanged. The shader cache would create a folder in the user's home. */
    private static final Map<String, String> QUIET = Map.of(
            "EGL_LOG_LEVEL", "fatal",
            "LIBGL_DEBUG", "quiet",
            "MESA_LOG_LEVEL", "error",
            "MESA_SHADER_CACHE_DISABLE", "true");

    private MesaSettings() {}

    /** Suppresses Mesa's warnings on stderr (no display server, no GPU). Has an effect only before EGL is loaded. */
    @SuppressWarnings("restricted") // the launcher allows native access
    static void quiet() {
        Linker linker = Linker.nativeLinker();
        MethodHandle setenv = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setenv"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            for (Map.Entry<String, String> setting : QUIET.entrySet()) {
                int unused = (int) setenv.invokeExact(
                        arena.allocateFrom(setting.getKey()), arena.allocateFrom(setting.getValue()), 0);
            }
        } catch (Throwable impossible) {
            throw new IllegalStateException("setenv", impossible);
        }
    }
}
