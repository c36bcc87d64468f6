package headscope.result;

import headscope.tensor.DiskFailure;
import java.io.IOException;
import java.nio.file.Path;

/** Results that cannot be written or read. The message is one line: the path and the reason. */
public final class RunFolderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RunFolderException(Path path, String reason) {
        super(path + ": " + reason);
    }

    public RunFolderException(Path path, IOException failure) {
        super(path + ": " + DiskFailure.reason(failure), failure);
    }

    /** The failure, with what to do about it. */
    public RunFolderException(RuntimeException failure, String remedy) {
        super(failure.getMessage() + "; " + remedy, failure);
    }
}
