package headscope.model.text;

/** A text that the model cannot read. The message is the reason; the caller adds where the text is. */
public final class TextException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TextException(String rule) {
        super(rule);
    }
}
