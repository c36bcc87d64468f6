package headscope.result;

import headscope.tensor.Printable;
import java.nio.file.Path;

/** A missing or malformed file of a run. The message is one line: file, line number, fault. */
public final class ResultFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ResultFormatException(Path file, String rule) {
        super(Printable.line(file + ": " + rule));
    }

    /** @param line from 1 */
    public ResultFormatException(Path file, long line, String rule) {
        super(Printable.line(file + ":" + line + ": " + rule));
    }
}
