package headscope;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Runs a main class in a separate JVM, with the flags and the class path of this one. */
public final class ChildJvm {
    private static final int MINUTES = 5;

    /** @param err without the warnings of the JVM */
    public record Result(int status, String out, String err) {}

    private ChildJvm() {}

    /**
     * @param folder    for the output of the process
     * @param variables added to the environment
     * @param classes   folder in front of the class path; empty = none
     * @param command   main class and its arguments
     */
    public static Result run(Path folder, Map<String, String> variables, String classes, List<String> command)
            throws IOException, InterruptedException {
        Path out = folder.resolve("out.txt");
        Result result = run(folder, variables, classes, out, command);
        return new Result(result.status(), Files.readString(out), result.err());
    }

    /** Starts a main class; {@code out.txt} and {@code err.txt} in the folder receive its output. */
    public static Process start(Path folder, List<String> command) throws IOException {
        return start(folder, Map.of(), command);
    }

    /** @param variables added to the environment */
    public static Process start(Path folder, Map<String, String> variables, List<String> command) throws IOException {
        return start(folder, variables, "", folder.resolve("out.txt"), command);
    }

    /** @param classes folder in front of the class path */
    public static Process start(Path folder, Map<String, String> variables, String classes, List<String> command)
            throws IOException {
        return start(folder, variables, classes, folder.resolve("out.txt"), command);
    }

    /** @param out the file or device that receives standard output; it is not part of the result */
    public static Result run(
            Path folder, Map<String, String> variables, String classes, Path out, List<String> command)
            throws IOException, InterruptedException {
        Process process = start(folder, variables, classes, out, command);
        if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IllegalStateException("still running: " + command);
        }
        String messages = Files.readAllLines(folder.resolve("err.txt")).stream()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules")
                        && !line.startsWith("NOTE: Picked up JDK_JAVA_OPTIONS"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
        return new Result(process.exitValue(), "", messages);
    }

    private static Process start(
            Path folder, Map<String, String> variables, String classes, Path out, List<String> command) throws IOException {
        // A shell that runs the tests in the background lets them ignore SIGINT; a user's shell does not.
        List<String> words = new ArrayList<>(List.of("env", "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector",
                "--sun-misc-unsafe-memory-access=allow", "-Xmx1g",
                "-Djava.library.path=" + System.getProperty("java.library.path"),
                "-cp", (classes.isEmpty() ? "" : classes + ":") + System.getProperty("java.class.path")));
        words.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(words)
                .redirectOutput(out.toFile())
                .redirectError(folder.resolve("err.txt").toFile());
        builder.environment().putAll(variables);
        return builder.start();
    }
}
