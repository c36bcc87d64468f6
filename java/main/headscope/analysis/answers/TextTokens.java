package headscope.analysis.answers;

import java.util.List;

/** A text as tokens, and what the model does with them. */
public sealed interface TextTokens {
    /** Maximum number of tokens of the text that the model reads. */
    int most();

    /** Whether the model reads a text, or each of its choices, in one pass: the last token of an answer is not read. */
    boolean isWhole();

    /** Maximum number of tokens that pass through the layers. */
    default int work() {
        return most();
    }

    /**
     * Tokens that are read in one pass.
     *
     * @param ids    what the model reads
     * @param answer the tokens of an answer, of which the model reads all but the last; empty for a text without answer
     */
    record Whole(int[] ids, int[] answer) implements TextTokens {
        @Override
        public boolean isWhole() {
            return true;
        }

        @Override
        public int most() {
            return ids.length;
        }
    }

    /** A prompt that the model continues. */
    record Prompt(int[] ids, int maxNewTokens) implements TextTokens {
        @Override
        public boolean isWhole() {
            return maxNewTokens == 1;
        }

        @Override
        public int most() {
            return (int) Math.min(Integer.MAX_VALUE, ids.length - 1L + maxNewTokens);
        }
    }

    /** A prompt and the tokens that a model has generated after it, read in the same passes to give the same bits. */
    record Replay(int[] prompt, int[] generated) implements TextTokens {
        @Override
        public boolean isWhole() {
            return generated.length == 1;
        }

        @Override
        public int most() {
            return prompt.length + generated.length - 1;
        }
    }

    /**
     * A prompt with each of its choices.
     *
     * @param ids   of prompt and choice, by choice
     * @param start index of the first token that is scored, the same for all choices
     */
    record Choices(List<int[]> ids, int start) implements TextTokens {
        @Override
        public boolean isWhole() {
            return true;
        }

        @Override
        public int most() {
            return ids.stream().mapToInt(choice -> choice.length - 1).max().orElseThrow();
        }

        /** Each choice, then the chosen one. */
        @Override
        public int work() {
            return ids.stream().mapToInt(choice -> choice.length - 1).sum() + most();
        }
    }
}
