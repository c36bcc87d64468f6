package headscope.tensor;

/**
 * Reports a checkpoint that violates its format. The message is one line: file, tensor or field, and the violated
 * rule.
 */
public final class ModelFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ModelFormatException(Object file, String rule) {
        super(Printable.line(file + ": " + rule));
    }

    public ModelFormatException(Object file, String part, String rule) {
        super(Printable.line(file + ": " + part + ": " + rule));
    }
}
