package headscope.analysis;

import headscope.tensor.Printable;

/** Input that cannot be used. The message is one line: what is wrong, where, and what to do. */
public final class InputException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public InputException(String message) {
        super(Printable.line(message));
    }

    /** @throws InputException with this message unless the condition holds */
    public static void require(boolean condition, String message) {
        if (!condition) {
            throw new InputException(message);
        }
    }
}
