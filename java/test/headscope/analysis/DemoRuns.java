package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.backend.DeviceChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/** Runs of any analysis on the demo checkpoint, and checks of their folders. */
public final class DemoRuns {
    public static final Path MODEL = Path.of("models/demo");

    private DemoRuns() {}

    public static RunRequest request(Path out, boolean resume) {
        return new RunRequest(MODEL, out, DeviceChoice.of("cpu"), resume, false, "test");
    }

    /**
     * Runs an analysis and commits it; the run folder appears with the commit.
     *
     * @param work up to the summary
     */
    public static <A extends Analysis, S> S finish(A analysis, Path out, Function<A, S> work) {
        try (analysis) {
            S summary = work.apply(analysis);
            assertFalse(Files.exists(out));
            analysis.commit();
            return summary;
        }
    }

    /**
     * Interrupts an analysis.
     *
     * @param parts number of finished parts at the interruption
     */
    public static void interrupt(int parts, Consumer<Progress> work) {
        assertThrows(IllegalStateException.class, () -> work.accept((done, of) -> {
            if (done >= parts) {
                throw new IllegalStateException("interrupted");
            }
        }));
    }

    /** Checks that a run is rejected and leaves neither a run folder nor a partial one. */
    public static void assertRejected(String message, Path out, Executable run) {
        assertEquals(message, assertThrows(InputException.class, run).getMessage());
        assertFalse(Files.exists(out));
        assertFalse(Files.exists(out.resolveSibling(out.getFileName() + ".partial")));
    }

    /**
     * Checks that a run does not resume one with other settings.
     *
     * @param different names of the settings, as the message lists them
     */
    public static void assertNotResumed(Path out, String different, Executable run) {
        assertEquals("%s: was started with another model, other texts or other settings (%s); repeat the first command, or start over with --overwrite"
                .formatted(out, different), assertThrows(InputException.class, run).getMessage());
    }

    /** The names of a run's files, sorted. */
    public static List<String> files(Path run) throws IOException {
        try (Stream<Path> files = Files.list(run)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** Compares the bytes of all files but the manifest, which has the time of the run. */
    public static void assertSameFiles(Path expected, Path actual) throws IOException {
        assertEquals(files(expected), files(actual));
        for (String file : files(expected)) {
            if (!file.equals("manifest.json")) {
                assertArrayEquals(
                        Files.readAllBytes(expected.resolve(file)), Files.readAllBytes(actual.resolve(file)), file);
            }
        }
    }
}
