package headscope.cli;

import headscope.backend.Backend;
import headscope.backend.GpuReport;
import headscope.render.GlDescription;
import headscope.render.MissingFont;
import headscope.render.OffscreenRenderer;
import headscope.render.RenderUnavailableException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Checks what this machine provides. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Checks what this machine provides, and says what to do if something is missing.",
        footer = {"", "Example:", "  ./headscope doctor"})
final class DoctorCommand implements Callable<Integer> {
    private static final double GIB = 1L << 30;
    private int missing;

    @Override
    public Integer call() throws Exception {
        System.out.printf("%-10s %s, %s%n", "JDK", Runtime.version(), System.getProperty("java.vendor"));
        Runtime runtime = Runtime.getRuntime();
        System.out.printf("%-10s %d cores; the JVM may use %.1f GiB of heap%n", "machine",
                runtime.availableProcessors(), runtime.maxMemory() / GIB);
        FileStore disk = Files.getFileStore(Path.of("."));
        System.out.printf("%-10s %.1f GiB free here%n", "disk", disk.getUsableSpace() / GIB);
        try (Backend backend = Backend.open("cpu")) {
            System.out.printf("%-10s %s%n", "compute", backend.describe());
        } catch (LinkageError failure) {
            missing("compute", "OpenBLAS cannot be loaded: %s; run on 64-bit Linux with glibc".formatted(failure));
        }
        GpuReport gpus = Backend.gpus();
        gpus.lines().forEach(line -> System.out.printf("%-10s %s%n", line.part(), line.text()));
        missing += gpus.incomplete() ? 1 : 0;
        try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
            GlDescription gl = renderer.description();
            System.out.printf("%-10s OpenGL %s; %s; %s%n", "drawing", gl.version(), gl.renderer(), gl.vendor());
        } catch (RenderUnavailableException unavailable) {
            missing("drawing", unavailable.getMessage());
        }
        System.out.printf("%-10s %s%n", "fonts", "Roboto and DejaVu, bundled");
        MissingFont.ofCommonScripts().forEach(font -> System.out.printf(
                "%-10s no font for %s: boxes are drawn; on Debian or Ubuntu: apt-get install %s%n", "",
                font.script(), font.debianPackage()));
        return missing == 0 ? 0 : 1;
    }

    private void missing(String part, String remedy) {
        System.out.printf("%-10s MISSING: %s%n", part, remedy);
        missing++;
    }
}
