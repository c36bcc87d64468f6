package headscope.jinja;

/**
 * Bounds the time and memory of one rendering. Each evaluated expression, each character and each element that is
 * produced or compared counts as one step.
 */
final class Limits {
    private static final long FIXED = 10_000_000;

    /** Steps per character of the input: templates copy a message a few times. */
    private static final long PER_CHARACTER = 100;

    private static final long MOST = 200_000_000;

    private final long allowed;
    private long left;

    /** @param input characters of the messages */
    Limits(long input) {
        this.allowed = Math.min(FIXED + PER_CHARACTER * input, MOST);
        this.left = allowed;
    }

    void charge(long steps) {
        left -= steps;
        if (left < 0) {
            throw new TemplateException("rendering takes more than %d steps".formatted(allowed));
        }
    }

    /** Charges for a string. */
    String text(String produced) {
        charge(produced.length());
        return produced;
    }
}
