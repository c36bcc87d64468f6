package headscope.tensor;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import java.util.regex.Pattern;

/** The reason why a file cannot be read or written, in words for a message. */
public final class DiskFailure {
    /** The system's messages (strerror) for ENOSPC, which also means no free inode, EDQUOT and EFBIG (ulimit -f). */
    private static final Pattern NO_ROOM = Pattern.compile("(?i)no space left on device|disk quota exceeded|file too large");

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
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof IOException && NO_ROOM.matcher(String.valueOf(cause.getMessage())).find()) {
                return true;
            }
        }
        return false;
    }
}
