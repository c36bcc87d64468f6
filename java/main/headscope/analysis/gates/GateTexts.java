package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;

import java.util.ArrayList;
import java.util.List;

/**
 * The texts of a task as tokens.
 *
 * @param retained  texts whose answers are to stay likely
 * @param forgotten in a contrast, texts whose answers are to become unlikely, each paired with a retained one; otherwise empty
 */
record GateTexts(List<PromptAnswer> retained, List<PromptAnswer> forgotten) {
    /** A forgotten answer is pushed to at most this many nats below the retained one (the authors' code). */
    private static final double MAX_GAP = 5;

    int size() {
        return retained.size();
    }

    /** A batch of texts under a mask; their weights make the loss the mean over the batch. */
    List<GatedText> batch(int[] chosen, int mask) {
        List<GatedText> batch = new ArrayList<>();
        for (int i : chosen) {
            batch.add(new GatedText(retained.get(i), mask, 1f / chosen.length));
            if (!forgotten.isEmpty()) {
                batch.add(new GatedText(forgotten.get(i), mask, -1f / chosen.length, MAX_GAP));
            }
        }
        return batch;
    }
}
