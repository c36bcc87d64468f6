package headscope.bench;

import headscope.backend.Backend;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;

/** The machine, the commit and the date of a measurement. */
record Machine(String processor, int cores, String backend, String commit, LocalDate date, String loadBefore) {
    static Machine now() throws IOException {
        try (Backend backend = Backend.open("cpu")) {
            return now(backend);
        }
    }

    /** @param backend that is measured */
    static Machine now(Backend backend) throws IOException {
        String processor = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.matches("(model name|cpu family|model)\\s.*"))
                .limit(3)
                .map(line -> line.replaceAll("\\s+", " "))
                .reduce((a, b) -> a + ", " + b)
                .orElse("unknown");
        return new Machine(processor, Runtime.getRuntime().availableProcessors(), backend.describe(), headCommit(),
                LocalDate.now(), load());
    }

    /** @param arguments the command-line arguments of the benchmarks */
    String describe(String arguments) throws IOException {
        return """
                # Benchmarks, %s

                - processor: %s; %d cores
                - backend: %s
                - JDK: %s
                - commit: %s
                - load before and after (1, 5, 15 minutes): %s; %s
                - command: `mvn -q test-compile exec:exec -Dbenchmarks="%s"`

                """.formatted(
                        date, processor, cores, backend, Runtime.version(), commit, loadBefore, load(), arguments);
    }

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).replaceFirst(" \\d+/.*\\s*", "");
    }

    /** "unknown" on a machine without git, or outside a checkout. */
    private static String headCommit() {
        try {
            Process process = new ProcessBuilder("git", "describe", "--always", "--dirty").start();
            String commit = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return commit.isEmpty() ? "unknown" : commit;
        } catch (IOException noGit) {
            return "unknown";
        }
    }
}
