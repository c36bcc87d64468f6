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
        return ChildJvm.run(folder, variables(environment), kernels(folder), program(arguments));
    }

    /** Starts the program; {@code out.txt} and {@code err.txt} in the folder receive its output. */
    public static Process startHeadscope(Path folder, List<String> arguments) throws IOException {
        return ChildJvm.start(folder, variables(Map.of()), kernels(folder), program(arguments));
    }

    private static List<String> program(List<String> arguments) {
        return Stream.concat(Stream.of("headscope.Main"), arguments.stream()).toList();
    }

    /** A folder for the class path. */
    private static String kernels(Path folder) throws IOException {
        Path kernels = Files.createDirectories(folder.resolve("kernels/cuda"));
        Files.writeString(kernels.resolve("fatbins.properties"), "toolkit=13\narchitectures=80,90\nfamilies=all\n");
        Files.writeString(kernels.resolve("all.fatbin"), "emulated");
        return kernels.getParent().toString();
    }

    /** Runs the tests of a class. */
    static ChildJvm.Result tests(Path folder, Class<?> tests) throws IOException, InterruptedException {
        return ChildJvm.run(folder, variables(Map.of()), "", List.of(EmulatedDriver.class.getName(), tests.getName()));
    }

    private static Map<String, String> variables(Map<String, String> environment) {
        Map<String, String> variables = new HashMap<>(environment);
        variables.put("LD_LIBRARY_PATH", LIBRARIES.resolve("driver").toString());
        return variables;
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
