package headscope.backend.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Starts processes with an emulated NVIDIA driver, in which JCuda's native library and the whole device layer run without a
 * GPU. They are separate processes because a JVM loads the driver once.
 */
public final class EmulatedDriver {
    static final Path LIBRARIES = Path.of("target/cuda").toAbsolutePath();
    private static final int MINUTES = 5;

    /** Exit status and output of a process. */
    public record Ended(int status, String out, String err) {}

    private EmulatedDriver() {}

    /** Runs the program with kernels that the emulated driver can load. */
    public static Ended headscope(Path folder, Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        Path kernels = Files.createDirectories(folder.resolve("kernels/cuda"));
        Files.writeString(kernels.resolve("fatbins.properties"), "toolkit=13\narchitectures=80,90\nfamilies=all\n");
        Files.writeString(kernels.resolve("all.fatbin"), "emulated");
        return start(folder, environment, kernels.getParent() + ":", Stream.concat(
                Stream.of("headscope.Main"), arguments.stream()).toList());
    }

    /** Runs the tests of a class. */
    static Ended tests(Path folder, Class<?> tests) throws IOException, InterruptedException {
        return start(folder, Map.of(), "", List.of(EmulatedDriver.class.getName(), tests.getName()));
    }

    private static Ended start(Path folder, Map<String, String> environment, String classes, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector",
                "--sun-misc-unsafe-memory-access=allow", "-Xmx1g",
                "-Djava.library.path=" + System.getProperty("java.library.path"),
                "-cp", classes + System.getProperty("java.class.path")));
        command.addAll(arguments);
        Path out = folder.resolve("out.txt");
        Path err = folder.resolve("err.txt");
        ProcessBuilder process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        process.environment().putAll(environment);
        process.environment().put("LD_LIBRARY_PATH", LIBRARIES.resolve("driver").toString());
        Process running = process.start();
        if (!running.waitFor(MINUTES, TimeUnit.MINUTES)) {
            running.destroyForcibly();
            throw new IllegalStateException("still running: " + command);
        }
        String said = Files.readAllLines(err).stream()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .collect(Collectors.joining("\n"));
        return new Ended(running.exitValue(), Files.readString(out), said);
    }

    /** Entry point of the other process: runs the tests of the classes and prints failures. */
    public static void main(String[] classes) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(Arrays.stream(classes).map(name -> selectClass(name)).toList())
                .build();
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        Launcher launcher = LauncherFactory.create();
        launcher.execute(request, summary);
        summary.getSummary().printFailuresTo(new PrintWriter(System.err, true));
        System.out.println(summary.getSummary().getTestsSucceededCount() + " tests passed");
        System.exit(summary.getSummary().getTotalFailureCount() == 0 ? 0 : 1);
    }
}
