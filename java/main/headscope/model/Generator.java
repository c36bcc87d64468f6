package headscope.model;

import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Generates tokens after a prompt. The last token is not fed back: a prompt of n tokens and m new tokens leave
 * attention over n + m - 1 tokens.
 *
 * @param maxNewTokens at least 1
 */
public record Generator(Transformer model, Sampler sampler, int maxNewTokens) {
    public Generator {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("maxNewTokens must be at least 1, not " + maxNewTokens);
        }
    }

    /**
     * Generates until the end-of-text token, {@link #maxNewTokens} tokens, or {@code stop}.
     *
     * @param sequence empty; holds the attention statistics of prompt and new tokens afterwards
     * @param hook     observes the pass over the prompt and the pass over each new token
     * @param stop     tested after each token with all new tokens so far, on the calling thread; true ends the
     *                 generation. Another thread cancels through a flag that this predicate reads.
     * @return the new tokens, including the end-of-text token if there is one
     */
    public int[] generate(
            Sequence sequence, int[] prompt, RandomGenerator random, LayerHook hook, Predicate<int[]> stop) {
        int[] tokens = new int[0];
        int[] next = prompt;
        while (true) {
            Tensor hidden = model.forward(sequence, next, hook);
            int token = sampler.next(model.backend(), model.logits(hidden.rows(next.length - 1, 1)), List.of(random))[0];
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = token;
            boolean ended = model.config().vocabulary().endOfText().contains(token);
            if (ended || tokens.length == maxNewTokens || stop.test(tokens)) {
                return tokens;
            }
            next = new int[] {token};
        }
    }
}
