package headscope.analysis;

import headscope.tensor.Printable;
import java.util.function.Supplier;

/** Input that cannot be used. The message is one line: what is wrong, where, and what to do. */
public final class InputException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public InputException(String message) {
        super(Printable.line(message));
    }

    /**
     * Makes a value from an option.
     *
     * @throws InputException with the message of the {@link IllegalArgumentException} that rejects it
     */
    public static <T> T rejecting(Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException rejected) {
            throw new InputException(rejected.getMessage());
        }
    }

    /** {@link #rejecting(Supplier)} with a message that begins with the option. */
    public static <T> T rejecting(String option, Supplier<T> value) {
        return rejecting(() -> {
            try {
                return value.get();
            } catch (IllegalArgumentException rejected) {
                throw new IllegalArgumentException(option + ": " + rejected.getMessage(), rejected);
            }
        });
    }

    /**
     * Checks a count.
     *
     * @throws InputException unless it is from {@code least} to {@code most}
     */
    public static void requireCount(String option, int count, int least, int most) {
        require(count >= least && count <= most, "%s must be from %d to %d, not %d".formatted(option, least, most, count));
    }

    /** @throws InputException with this message unless the condition holds */
    public static void require(boolean condition, String message) {
        if (!condition) {
            throw new InputException(message);
        }
    }
}
