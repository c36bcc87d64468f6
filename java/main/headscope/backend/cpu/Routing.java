package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/** Top-k routing of one token in a mixture of experts. */
final class Routing {
    private Routing() {}

    /**
     * Replaces the largest {@code chosen} logits by their softmax and the others by 0; the first of equal logits win.
     */
    static void choose(MemorySegment logits, int chosen) {
        float[] values = logits.toArray(JAVA_FLOAT);
        double[] shares = new double[values.length];
        double total = 0;
        float peak = 0;
        for (int n = 0; n < chosen; n++) {
            int best = -1;
            for (int expert = 0; expert < values.length; expert++) {
                if (shares[expert] == 0 && (best < 0 || values[expert] > values[best])) {
                    best = expert;
                }
            }
            peak = n == 0 ? values[best] : peak;
            // A share of 0 would mark the expert as not yet chosen.
            shares[best] = Math.max(Math.exp(values[best] - peak), Double.MIN_NORMAL);
            total += shares[best];
        }
        for (int expert = 0; expert < values.length; expert++) {
            logits.setAtIndex(JAVA_FLOAT, expert, (float) (shares[expert] / total));
        }
    }
}
