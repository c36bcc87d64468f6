package headscope.tensor;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;

/** The reason why a file cannot be read or written, in words for a message. */
public final class DiskFailure {
    /** Linux's numbers: ENOSPC, which also means no free inode; EDQUOT; EFBIG (ulimit -f). */
    private static final List<Integer> NO_ROOM = List.of(28, 122, 27);

    private DiskFailure() {}

    /** One line that starts with a lower-case letter and does not contain the path, such as "permission denied". */
    public static String reason(IOException failure) {
        String reason = switch (failure) {
            case AccessDeniedException e -> "permission denied";
            case NoSuchFileException e -> "no such file or folder";
            case FileAlreadyExistsException e -> "not a folder";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            default -> failure.getMessage() == null || failure.getMessage().isBlank()
                    ? failure.getClass().getSimpleName()
                    : failure.getMessage();
        };
        String line = Printable.line(reason.strip().replaceAll("\\s+", " ")).replace("Is a directory", "is a folder");
        return line.substring(0, 1).toLowerCase(Locale.ROOT) + line.substring(1);
    }

    /** Whether a failure or one of its causes is a lack of space, inodes or quota, or the process's limit on file sizes. */
    public static boolean noRoom(Throwable failure) {
        return noRoom(failure, SystemMessage::of);
    }

    /**
     * The JDK keeps the system's message, not its number; the message is in the language of the process.
     *
     * @param message of the system for a number
     */
    static boolean noRoom(Throwable failure, IntFunction<Optional<String>> message) {
        List<String> noRoom = NO_ROOM.stream().map(message::apply).flatMap(Optional::stream).toList();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String text = String.valueOf(cause.getMessage());
            if (cause instanceof IOException && noRoom.stream().anyMatch(text::contains)) {
                return true;
            }
        }
        return false;
    }
}
