package headscope.tensor;

/**
 * A checkpoint that breaks a rule of its format. The message is one line: where (a file, and the tensor or field
 * in it), and which rule.
 */
public final class ModelFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ModelFormatException(Object file, String rule) {
        super(file + ": " + rule);
    }

    public ModelFormatException(Object file, String part, String rule) {
        super(file + ": " + part + ": " + rule);
    }
}
