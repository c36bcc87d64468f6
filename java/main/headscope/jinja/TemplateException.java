package headscope.jinja;

/** A template is malformed, uses an unsupported feature, or rejects its input by {@code raise_exception}. */
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int line;
    private final boolean raised;

    private TemplateException(String message, int line, boolean raised) {
        super(message);
        this.line = line;
        this.raised = raised;
    }

    /** A fault whose line is not known where it is found. */
    TemplateException(String message) {
        this(message, 0, false);
    }

    TemplateException(int line, String message) {
        this(message, line, false);
    }

    /** What the template itself raises. */
    static TemplateException raised(String message) {
        return new TemplateException(message, 0, true);
    }

    static TemplateException unsupported(String what) {
        return new TemplateException(what + " is not supported");
    }

    /** The same fault in a line, unless it has one. */
    TemplateException at(int found) {
        return line > 0 ? this : new TemplateException(getMessage(), found, raised);
    }

    /** Line of the template, from 1; 0 = unknown. */
    public int line() {
        return line;
    }

    /** Whether the template calls {@code raise_exception}. */
    public boolean isRaised() {
        return raised;
    }
}
