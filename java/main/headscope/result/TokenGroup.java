package headscope.result;

/**
 * Tokens that stand together and have a name, such as the text of one speaker.
 *
 * @param start the first of them
 * @param end   the first after them
 */
public record TokenGroup(String label, int start, int end) {
    public TokenGroup {
        if (start < 0 || end <= start) {
            throw new IllegalArgumentException("%s: no tokens from %d to before %d".formatted(label, start, end));
        }
    }
}
