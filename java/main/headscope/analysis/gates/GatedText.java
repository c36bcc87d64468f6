package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;

import java.util.Arrays;

/**
 * A text that goes through the model under one of several masks.
 *
 * @param mask   which
 * @param weight of its negative log-likelihood in the loss; below 0 for an answer that is to become unlikely
 * @param most   it counts in the loss while it is at most so many nats less likely than the text before it
 */
record GatedText(PromptAnswer text, int mask, float weight, double most) {
    /** One that always counts. */
    GatedText(PromptAnswer text, int mask, float weight) {
        this(text, mask, weight, Double.POSITIVE_INFINITY);
    }

    boolean followsTheOneBefore() {
        return most < Double.POSITIVE_INFINITY;
    }

    /** Whose logarithmic probabilities count. */
    int[] answer() {
        return Arrays.copyOfRange(text.ids(), text.start(), text.ids().length);
    }
}
