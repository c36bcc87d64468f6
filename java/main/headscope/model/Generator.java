package headscope.model;

import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Lets a model continue a text. The last token that it picks is not fed back, so a text of n tokens continued by m
 * leaves attention over n + m - 1.
 *
 * @param maxNewTokens at least 1
 */
public record Generator(Transformer model, Sampler sampler, int maxNewTokens) {
    public Generator {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("at least one new token must be allowed, not " + maxNewTokens);
        }
    }

    /**
     * @param text     empty; holds the attention statistics afterwards
     * @param finished whether the tokens so far are a whole answer; the end-of-text token always ends one
     * @return the new tokens, the end-of-text token included where it came
     */
    public int[] continueText(Sequence text, int[] prompt, RandomGenerator random, Predicate<int[]> finished) {
        int[] made = new int[0];
        int[] next = prompt;
        while (true) {
            Tensor hidden = model.forward(text, next, LayerHook.NONE);
            int token = sampler.next(model.backend(), model.logits(hidden.rows(next.length - 1, 1)), random);
            made = Arrays.copyOf(made, made.length + 1);
            made[made.length - 1] = token;
            if (made.length == maxNewTokens || model.config().endOfText().contains(token) || finished.test(made)) {
                return made;
            }
            next = new int[] {token};
        }
    }
}
