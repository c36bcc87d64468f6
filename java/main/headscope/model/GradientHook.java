package headscope.model;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import java.util.Optional;

/** How an analysis watches a backward pass, from the last layer to the first. */
public interface GradientHook {
    GradientHook NONE = new GradientHook() {};

    /** What to keep of the saliency maps of one text in a layer; nothing by default. */
    default Optional<AttentionSaliency.Request> saliency(int layer, int text) {
        return Optional.empty();
    }

    /**
     * After a layer's attention, for a text of which saliency was asked.
     *
     * @param saliency is closed once this returns
     */
    default void attention(int layer, int text, AttentionSpec spec, AttentionSaliency saliency) {}

    /**
     * After a layer's attention, for every text.
     *
     * @param gradient with respect to the factors on a text's head outputs, whether there are gates or all factors
     *                 are one: the sum of gradient times output over the rows that the factors multiply; [heads]
     */
    default void gates(int layer, int text, float[] gradient) {}
}
