package headscope.analysis.answers;

import java.util.Arrays;
import java.util.function.Function;

/**
 * Looks for a stop string in one answer while its tokens are generated. Text is settled where it ends with a whole
 * character: tokens before it are not decoded again, except those of the last settled piece, because a token's text may
 * depend on the token before it (white space at the start of a text, joined word pieces).
 */
final class StopString {
    /** What decoders write for bytes that are no character, or none yet. */
    private static final String INCOMPLETE = "\uFFFD";

    private final Function<int[], String> decode;
    private final String stop;
    private final StringBuilder settled = new StringBuilder(); // without the white space before the answer
    private int first; // token of the last settled piece
    private int end; // token after it
    private String piece = "";

    /**
     * @param decode the text of tokens
     * @param stop   not empty
     */
    StopString(Function<int[], String> decode, String stop) {
        this.decode = decode;
        this.stop = stop;
    }

    /**
     * Whether the answer has the stop string.
     *
     * @param generated all tokens so far: at least those of the last call
     */
    boolean isComplete(int[] generated) {
        String decoded = decode.apply(Arrays.copyOfRange(generated, first, generated.length));
        if (!decoded.startsWith(piece)) { // later tokens change settled text
            settled.setLength(0);
            first = 0;
            end = 0;
            piece = "";
            decoded = decode.apply(generated);
        }
        String added = decoded.substring(piece.length());
        int searched = Math.max(0, settled.length() - stop.length() + 1);
        int length = settled.length();
        settled.append(length == 0 ? added.stripLeading() : added);
        boolean complete = settled.indexOf(stop, searched) >= 0;
        if (complete || added.isEmpty() || added.endsWith(INCOMPLETE)) {
            settled.setLength(length);
        } else {
            first = end;
            end = generated.length;
            piece = decode.apply(Arrays.copyOfRange(generated, first, end));
        }
        return complete;
    }
}
