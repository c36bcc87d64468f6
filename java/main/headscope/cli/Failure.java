package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.DeviceException;
import headscope.live.ring.RingException;
import headscope.model.text.TextException;
import headscope.render.RenderUnavailableException;
import headscope.render.film.FilmException;
import headscope.result.ResultFormatException;
import headscope.result.RunFolderException;
import headscope.tensor.DiskFailure;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * What the program says when it fails.
 *
 * @param message one line
 * @param status  exit status
 */
record Failure(String message, int status) {
    private static final String REPORT = "please report it with the command and the output of --verbose";

    static Failure of(Throwable thrown) {
        return switch (thrown) {
            case CompletionException e when e.getCause() != null -> of(e.getCause());
            case ExecutionException e when e.getCause() != null -> of(e.getCause());
            case InputException e -> invalid(e.getMessage());
            case TextException e -> invalid(e.getMessage());
            case DeviceException e -> invalid(e.getMessage());
            case ModelFormatException e -> invalid(e.getMessage());
            case ResultFormatException e -> invalid(e.getMessage());
            case RunFolderException e -> invalid(e.getMessage());
            case RenderUnavailableException e -> invalid(e.getMessage());
            case FilmException e -> invalid(e.getMessage());
            case RingException e -> invalid(e.getMessage());
            case UncheckedIOException e when e.getMessage() != null && !e.getMessage().equals(String.valueOf(e.getCause())) ->
                    invalid(e.getMessage());
            case UncheckedIOException e -> of(e.getCause());
            case FileSystemException e when e.getFile() != null -> invalid(e.getFile() + ": " + DiskFailure.reason(e));
            case IOException e -> invalid(DiskFailure.reason(e));
            case OutOfMemoryError e -> invalid(outOfMemory(e));
            case StackOverflowError e -> internal(e, "the stack overflowed");
            case LinkageError e -> invalid(("a part of the program cannot be loaded (%s): check that files may be opened (ulimit -n) and"
                    + " memory reserved (ulimit -v), and that target/ is complete").formatted(root(e)));
            case InternalError e when String.valueOf(e.getMessage()).contains("unsafe memory access") -> invalid(
                    "a memory-mapped file became shorter or unreadable while it was read: do not change model files during a run");
            default -> internal(thrown, String.valueOf(thrown.getMessage()));
        };
    }

    private static Failure invalid(String message) {
        return new Failure(message, HeadscopeCommand.INVALID_INPUT);
    }

    private static Failure internal(Throwable thrown, String message) {
        String place = Arrays.stream(thrown.getStackTrace())
                .filter(frame -> frame.getClassName().startsWith("headscope."))
                .findFirst()
                .map(frame -> " in %s, line %d".formatted(frame.getFileName(), frame.getLineNumber()))
                .orElse("");
        return new Failure("internal error%s: %s: %s; %s".formatted(
                place, thrown.getClass().getSimpleName(), message, REPORT), HeadscopeCommand.INTERNAL_ERROR);
    }

    private static String outOfMemory(OutOfMemoryError error) {
        return String.valueOf(error.getMessage()).contains("native thread")
                ? "no thread can be started: raise ulimit -u or ulimit -v"
                : "out of memory (%s): the JVM may use %d MiB; raise the limit with JAVA_TOOL_OPTIONS=-Xmx8g, or use shorter texts"
                        .formatted(error.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
    }

    private static String root(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getClass().getSimpleName() + ": " + root.getMessage();
    }
}
