package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In processes of their own, because what a native library writes to stderr and what it loads is per process. */
final class OffscreenContextTest {
    @TempDir
    Path folder;

    /** Says which OpenGL draws, or why none does. */
    static final class Tell {
        public static void main(String[] arguments) {
            try (OffscreenContext context = OffscreenContext.open()) {
                context.image(SampleMaps.figure(2, 3), 96);
                System.out.println(context.description());
            } catch (RenderUnavailableException problem) {
                System.out.println(problem.getMessage());
            }
        }
    }

    @Test
    void drawsWithoutAWordOnStderr() throws Exception {
        String said = tell(Map.of(), List.of());
        assertTrue(said.startsWith("GlDescription[vendor="), said);
    }

    @Test
    void saysHowToGetAMissingLibrary() throws Exception {
        assertUnavailable(tell(Map.of(), List.of("-Dorg.lwjgl.egl.libname=libabsent.so")));
    }

    @Test
    void saysHowToGetAMissingDriver() throws Exception {
        assertUnavailable(tell(Map.of("__EGL_VENDOR_LIBRARY_FILENAMES", "/absent.json"), List.of()));
    }

    @Test
    void contextsCanFollowOneAnother() {
        for (int i = 0; i < 2; i++) {
            try (OffscreenContext context = OffscreenContext.open()) {
                assertFalse(context.description().version().isEmpty());
            }
        }
    }

    private static void assertUnavailable(String said) {
        assertTrue(said.endsWith("apt-get install libegl1 libgl1-mesa-dri\n"), said);
        assertEquals(1, said.lines().count(), said);
    }

    /** What {@link Tell} prints in an environment without a display; it must print nothing to stderr. */
    private String tell(Map<String, String> environment, List<String> options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Tell.class.getName()));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        process.environment().keySet().removeAll(List.of("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "HOME"));
        process.environment().putAll(environment);
        int status = process.start().waitFor();
        assertEquals("", Files.readString(err));
        assertEquals(0, status);
        return Files.readString(out);
    }
}
