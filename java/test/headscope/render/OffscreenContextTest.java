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

/** Runs in separate processes, since stderr and the loaded native libraries belong to a process. */
final class OffscreenContextTest {
    @TempDir
    Path folder;

    /** Prints the OpenGL implementation that draws, or the reason why none does. */
    static final class PrintDescription {
        public static void main(String[] arguments) {
            try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
                renderer.image(SampleMaps.figure(2, 3), 96);
                System.out.println(renderer.description());
            } catch (RenderUnavailableException problem) {
                System.out.println(problem.getMessage());
            }
        }
    }

    @Test
    void drawsWithoutOutputOnStderr() throws Exception {
        String printed = printed(Map.of(), List.of());
        assertTrue(printed.startsWith("GlDescription[vendor="), printed);
    }

    @Test
    void namesThePackageOfAMissingLibrary() throws Exception {
        assertUnavailable(printed(Map.of(), List.of("-Dorg.lwjgl.egl.libname=libabsent.so")));
    }

    @Test
    void namesThePackageOfAMissingDriver() throws Exception {
        assertUnavailable(printed(Map.of("__EGL_VENDOR_LIBRARY_FILENAMES", "/absent.json"), List.of()));
    }

    /** Nothing is missing, so nothing is to be installed. */
    @Test
    void namesTheVariableThatLimitsTheDriver() throws Exception {
        String printed = printed(Map.of("MESA_GL_VERSION_OVERRIDE", "2.1"), List.of());
        assertTrue(printed.matches("EGL \\(.+\\) provides no OpenGL 3\\.3 core context; unset MESA_GL_VERSION_OVERRIDE, which is"
                + " 2\\.1\n"), printed);
    }

    @Test
    void contextsCanBeOpenedInSuccession() {
        for (int i = 0; i < 2; i++) {
            try (OffscreenContext context = OffscreenContext.open()) {
                assertFalse(context.description().version().isEmpty());
            }
        }
    }

    private static void assertUnavailable(String printed) {
        assertTrue(printed.endsWith("apt-get install libegl1 libgl1-mesa-dri\n"), printed);
        assertEquals(1, printed.lines().count(), printed);
    }

    /** What {@link PrintDescription} prints in an environment without a display; it must print nothing to stderr. */
    private String printed(Map<String, String> environment, List<String> options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), PrintDescription.class.getName()));
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
