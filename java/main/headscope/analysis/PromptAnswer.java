package headscope.analysis;

import headscope.model.ModelConfig;
import headscope.model.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A prompt and the answer that follows it, as tokens. The answer's tokens are those that the prompt alone does not
 * begin with, so that a tokenizer may join the two as it likes.
 *
 * @param ids   of both
 * @param start where the answer begins, at least 1
 */
public record PromptAnswer(int[] ids, int start) {
    /** A blank parts prompt and answer where neither brings white space. */
    public static PromptAnswer of(JsonLines.Line line, String prompt, String answer, ModelConfig config, Tokenizer tokenizer) {
        boolean parted = prompt.isEmpty() || answer.isEmpty() || Character.isWhitespace(prompt.charAt(prompt.length() - 1))
                || Character.isWhitespace(answer.charAt(0));
        int[] alone = tokenizer.encode(prompt);
        int[] ids = tokenizer.encode(prompt + (parted ? "" : " ") + answer);
        int differs = Arrays.mismatch(alone, ids);
        if (differs == 0 || alone.length == 0) {
            throw line.wrong("the prompt has no tokens before the answer");
        }
        if (differs < 0 || differs == ids.length) {
            throw line.wrong("the answer has no tokens");
        }
        if (ids.length - 1 > config.maxTokens()) {
            throw line.wrong("%d tokens of prompt and answer; the model takes at most %d and the last one: shorten the text"
                    .formatted(ids.length, config.maxTokens()));
        }
        return new PromptAnswer(ids, differs);
    }

    /** What the model reads: all but the last token, which predicts nothing. */
    public int[] read() {
        return Arrays.copyOf(ids, ids.length - 1);
    }

    /** The row that predicts the first token of the answer. */
    public int firstRow() {
        return start - 1;
    }

    /** As many as rows that predict. */
    public int answerTokens() {
        return ids.length - start;
    }

    /** Whether these tokens are the answer's. */
    public boolean is(int[] said) {
        return IntStream.range(0, answerTokens()).allMatch(i -> said[i] == ids[start + i]);
    }
}
