package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;

import java.util.Arrays;

/**
 * A text that is read under one of several masks.
 *
 * @param mask   index of the mask
 * @param weight of its nll in the loss; negative for an answer that is to become unlikely
 * @param maxGap the text counts in the loss while its nll exceeds that of the previous text by at most this many nats
 */
record GatedText(PromptAnswer text, int mask, float weight, double maxGap) {
    /** A text that always counts. */
    GatedText(PromptAnswer text, int mask, float weight) {
        this(text, mask, weight, Double.POSITIVE_INFINITY);
    }

    boolean isPairedWithPrevious() {
        return maxGap < Double.POSITIVE_INFINITY;
    }

    /** The tokens of the answer. */
    int[] answer() {
        return Arrays.copyOfRange(text.ids(), text.start(), text.ids().length);
    }
}
