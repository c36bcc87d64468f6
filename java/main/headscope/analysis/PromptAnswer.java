package headscope.analysis;

import headscope.model.ModelConfig;
import headscope.model.text.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A prompt followed by its answer, as tokens. The answer starts at the first token that differs from the tokens of the
 * prompt alone, because a tokenizer may merge the end of the prompt with the beginning of the answer. The special tokens that the tokenizer's
 * template adds after a text belong to neither.
 *
 * @param ids   tokens of prompt and answer
 * @param start index of the answer's first token, at least 1
 */
public record PromptAnswer(int[] ids, int start) {
    /** @param join what stands between prompt and answer */
    public static PromptAnswer of(
            Entry entry, String prompt, String answer, Join join, ModelConfig config, Tokenizer tokenizer) {
        int[] alone = entry.located(() -> tokenizer.encodePrompt(prompt));
        int[] ids = entry.located(
                () -> tokenizer.encodePrompt(prompt + join.between(prompt, answer, tokenizer) + answer));
        int differs = Arrays.mismatch(alone, ids);
        if (differs == 0 || alone.length == 0) {
            throw entry.wrong("the prompt has no tokens before the answer");
        }
        if (differs < 0 || differs == ids.length) {
            throw entry.wrong("the answer has no tokens");
        }
        if (ids.length - 1 > config.maxTokens()) {
            throw entry.wrong("prompt and answer have %d tokens; the limit for this model is %d: shorten the text"
                    .formatted(ids.length, config.maxTokens() + 1));
        }
        return new PromptAnswer(ids, differs);
    }

    /** The tokens that the model reads: all but the last one, which predicts nothing. */
    public int[] inputs() {
        return Arrays.copyOf(ids, ids.length - 1);
    }

    /** The row that predicts the first token of the answer. */
    public int firstRow() {
        return start - 1;
    }

    /** Number of tokens of the answer, and of rows that predict them. */
    public int answerTokens() {
        return ids.length - start;
    }

    /** Whether the predicted tokens are the tokens of the answer. */
    public boolean matches(int[] predicted) {
        return IntStream.range(0, answerTokens()).allMatch(i -> predicted[i] == ids[start + i]);
    }
}
