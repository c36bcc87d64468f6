package headscope.live.ring;

/** A ring that cannot be read. The message is one line: what, where, what to do. */
public final class RingException extends RuntimeException {
    private static final long serialVersionUID = 1;

    RingException(String message) {
        super(message);
    }
}
