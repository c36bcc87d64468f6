package headscope.analysis.answers;

import headscope.model.text.Tokenizer;
import java.util.function.Predicate;

/**
 * The answer in generated tokens: their text up to a stop string, without the white space around it. White space before
 * an answer is not part of it, so that a newline as stop string ends no answer that has not begun.
 *
 * @param stop empty = none
 */
record AnswerDecoder(Tokenizer tokenizer, String stop) {
    /** Whether one answer, whose tokens come one after the other, has the stop string. */
    Predicate<int[]> completion() {
        return stop.isEmpty() ? generated -> false : new StopString(tokenizer::decode, stop)::isComplete;
    }

    String answer(int[] generated) {
        String decoded = decode(generated);
        int end = end(decoded);
        return (end < 0 ? decoded : decoded.substring(0, end)).strip();
    }

    private String decode(int[] generated) {
        return tokenizer.decode(generated).stripLeading();
    }

    private int end(String decoded) {
        return stop.isEmpty() ? -1 : decoded.indexOf(stop);
    }
}
