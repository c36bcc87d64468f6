package headscope.backend.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import headscope.ChildJvm;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    private EmulatedDriver() {}

    /** Runs the program with kernels that the emulated driver can load. */
    public static ChildJvm.Result headscope(Path folder, Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        Path kernels = Files.createDirectories(folder.resolve("kernels/cuda"));
        Files.writeString(kernels.resolve("fatbins.properties"), "toolkit=13\narchitectures=80,90\nfamilies=all\n");
        Files.writeString(kernels.resolve("all.fatbin"), "emulated");
        return start(folder, environment, kernels.getParent().toString(), Stream.concat(
                Stream.of("headscope.Main"), arguments.stream()).toList());
    }

    /** Runs the tests of a class. */
    static ChildJvm.Result tests(Path folder, Class<?> tests) throws IOException, InterruptedException {
        return start(folder, Map.of(), "", List.of(EmulatedDriver.class.getName(), tests.getName()));
    }

    private static ChildJvm.Result start(
            Path folder, Map<String, String> environment, String classes, List<String> command)
            throws IOException, InterruptedException {
        Map<String, String> variables = new HashMap<>(environment);
        variables.put("LD_LIBRARY_PATH", LIBRARIES.resolve("driver").toString());
        return ChildJvm.run(folder, variables, classes, command);
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
