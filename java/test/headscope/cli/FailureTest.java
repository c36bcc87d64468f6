package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** Only what a user can change is invalid input; anything else is an error of the program. */
class FailureTest {
    @Test
    void inputIsReportedAsItIs() {
        assertEquals(new Failure("a: b", 2), Failure.of(new InputException("a: b")));
        assertEquals(new Failure("a: b", 2), Failure.of(new CompletionException(new InputException("a: b"))));
    }

    @Test
    void reasonsFollowThePathOnce() {
        assertEquals(new Failure("/x: permission denied", 2), Failure.of(new AccessDeniedException("/x")));
        IOException full = new FileSystemException("/x", null, "No space left on device");
        assertEquals(new Failure("/x: no space left on device", 2), Failure.of(new UncheckedIOException(full)));
        assertEquals(new Failure("x: cannot be written", 2),
                Failure.of(new UncheckedIOException("x: cannot be written", full)));
    }

    @Test
    void bugsNameTheirPlaceAndAskForAReport() {
        Failure bug = Failure.of(new IllegalArgumentException("add: shapes differ"));
        assertEquals(1, bug.status());
        assertTrue(bug.message().matches("internal error in FailureTest.java, line \\d+: IllegalArgumentException: add: shapes"
                + " differ; please report it with the command and the output of --verbose"), bug.message());
        assertEquals(1, Failure.of(new NullPointerException()).status());
        assertEquals(1, Failure.of(new StackOverflowError()).status());
    }

    @Test
    void exhaustedResourcesAreNotBugs() {
        assertTrue(Failure.of(new OutOfMemoryError("Java heap space")).message().contains("raise the limit"));
        assertTrue(Failure.of(new OutOfMemoryError("unable to create native thread")).message().contains("ulimit -u"));
        assertTrue(Failure.of(new NoClassDefFoundError("x")).message().contains("ulimit -n"));
        assertEquals(2, Failure.of(new InternalError("a fault occurred in an unsafe memory access operation")).status());
    }
}
