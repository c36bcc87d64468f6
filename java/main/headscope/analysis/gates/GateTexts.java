package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;

import java.util.ArrayList;
import java.util.List;

/**
 * A task's texts as tokens.
 *
 * @param kept      whose answers are to stay likely
 * @param forgotten of a contrast, as many as kept and their partners in order; else none
 */
record GateTexts(List<PromptAnswer> kept, List<PromptAnswer> forgotten) {
    /** Nats by which a forgotten answer is pushed below its partner's, no further: the authors' code. */
    private static final double FURTHEST = 5;

    int size() {
        return kept.size();
    }

    /** Of a batch under a mask: the loss is the mean over the batch. */
    List<GatedText> batch(int[] chosen, int mask) {
        List<GatedText> batch = new ArrayList<>();
        for (int i : chosen) {
            batch.add(new GatedText(kept.get(i), mask, 1f / chosen.length));
            if (!forgotten.isEmpty()) {
                batch.add(new GatedText(forgotten.get(i), mask, -1f / chosen.length, FURTHEST));
            }
        }
        return batch;
    }
}
