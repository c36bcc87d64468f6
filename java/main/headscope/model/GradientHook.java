package headscope.model;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import java.util.Optional;

/** Observes a backward pass, from the last layer to the first. */
public interface GradientHook {
    /** Ignores every layer. */
    GradientHook NONE = new GradientHook() {};

    /** The saliency to compute for a text in a layer; none by default. */
    default Optional<AttentionSaliency.Request> saliency(int layer, int text) {
        return Optional.empty();
    }

    /**
     * Called after a layer's attention for each text whose saliency was requested.
     *
     * @param saliency valid only until this method returns
     */
    default void attention(int layer, int text, AttentionSpec spec, AttentionSaliency saliency) {}

    /**
     * Called after a layer's attention for every text.
     *
     * @param gradient [heads], with respect to the gates of the text's head outputs, or to factors of 1 if there are
     *                 no gates: the sum of gradient * output over the gated rows
     */
    default void gates(int layer, int text, float[] gradient) {}
}
