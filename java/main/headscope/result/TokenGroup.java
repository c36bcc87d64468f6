package headscope.result;

/**
 * A labelled range of tokens, such as the text of one speaker.
 *
 * @param start index of the first token
 * @param end   index after the last token
 */
public record TokenGroup(String label, int start, int end) {
    public TokenGroup {
        if (start < 0 || end <= start) {
            throw new IllegalArgumentException("%s: [%d, %d) is not a range of tokens".formatted(label, start, end));
        }
    }
}
