package headscope.result;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/** Results that cannot be written or read. The message is one line: the path and the reason. */
public final class RunFolderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RunFolderException(Path path, String reason) {
        super(path + ": " + reason);
    }

    public RunFolderException(Path path, IOException failure) {
        super(path + ": " + reason(failure), failure);
    }

    private static String reason(IOException failure) {
        String reason = switch (failure) {
            case AccessDeniedException e -> "permission denied";
            case NoSuchFileException e -> "no such file or folder";
            case FileAlreadyExistsException e -> "not a folder";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            default -> failure.getMessage() == null || failure.getMessage().isEmpty()
                    ? failure.getClass().getSimpleName()
                    : failure.getMessage();
        };
        String line = reason.replaceAll("\\s+", " ");
        return line.substring(0, 1).toLowerCase(Locale.ROOT) + line.substring(1);
    }
}
