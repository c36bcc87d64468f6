package headscope.model;

import headscope.backend.Activation;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A transformer as data: every way in which the supported families differ is a value here.
 *
 * @param family        who names the tensors
 * @param vocabulary    words
 * @param hidden        width of the residual stream
 * @param feedForward   inner width of the feed-forward layer
 * @param experts       feed-forward layers of which each token takes a few; 0 = there is one, for all
 * @param expertsPerToken how many a token takes
 * @param maxTokens     longest text
 * @param headDim       elements of one head; heads * headDim need not be hidden
 * @param norm          kind of every norm
 * @param normEpsilon   added to the variance or mean square
 * @param placement     where in a layer the norms stand
 * @param queryKeyNorm  what q and k are normalised over before rotation
 * @param scale         factor on q k'
 * @param scaleByLayer  whether layer i divides the scale by i + 1 as well
 * @param softCap       on scores; 0 = none
 * @param finalSoftCap  on logits; 0 = none
 * @param windows       keys that a query of each layer sees; 0 = all
 * @param ropes         rotary embedding of each layer; empty where positions are learned
 * @param activation    of the feed-forward layer
 * @param embeddingScale factor on word embeddings
 * @param tied          whether the output words are the input words
 * @param causal        whether a token sees only itself and earlier ones
 * @param endOfText     tokens that end a generated text
 */
public record ModelConfig(
        Family family, int vocabulary, int hidden, int layers, int heads, int kvHeads, int headDim, int feedForward,
        int experts, int expertsPerToken, int maxTokens, Norm norm, float normEpsilon, Placement placement, QueryKeyNorm queryKeyNorm, float scale,
        boolean scaleByLayer, float softCap, float finalSoftCap, List<Integer> windows, List<Optional<Rope>> ropes,
        Activation activation, float embeddingScale, boolean tied, boolean causal, Set<Integer> endOfText) {

    /** Normalisation: by mean and variance, by mean square, or by mean square with weights stored minus one. */
    enum Norm {
        LAYER,
        RMS,
        RMS_ONE_PLUS
    }

    /** Where norms stand in a layer; f is attention or feed-forward. */
    enum Placement {
        /** x + f(norm x). */
        BEFORE,
        /** x + attention(norm x) + feed-forward(norm' x). */
        PARALLEL,
        /** x + norm'(f(norm x)). */
        AROUND,
        /** x + norm(f(x)). */
        AFTER,
        /** norm(x + f(x)). */
        ON_SUM
    }

    enum QueryKeyNorm {
        NONE,
        EACH_HEAD,
        ALL_HEADS
    }

    /** Elements of all query heads together. */
    int queryWidth() {
        return heads * headDim;
    }

    /** Elements of all key heads together. */
    int keyWidth() {
        return kvHeads * headDim;
    }
}
