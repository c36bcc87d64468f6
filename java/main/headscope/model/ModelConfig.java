package headscope.model;

import headscope.backend.Activation;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The architecture of a transformer. The supported families differ in these values and in tensor names.
 *
 * @param family determines the tensor names
 */
public record ModelConfig(
        Family family, Sizes sizes, Vocabulary vocabulary, Attention attention, Positions positions, Norms norms,
        FeedForward feedForward, Biases biases) {

    /**
     * @param hidden  width of the residual stream
     * @param kvHeads key and value heads per layer
     * @param headDim elements of one head; heads * headDim may differ from hidden
     */
    record Sizes(int layers, int hidden, int heads, int kvHeads, int headDim) {}

    /**
     * Token embedding and output projection.
     *
     * @param size           number of tokens
     * @param embeddingScale factor on token embeddings
     * @param tied           whether the token embedding is the output projection if the file has no other
     * @param softCap        on logits; 0 = none
     * @param endOfText      tokens that end a generated text
     */
    public record Vocabulary(int size, float embeddingScale, boolean tied, float softCap, Set<Integer> endOfText) {}

    /**
     * Attention scores and their mask.
     *
     * @param scale        factor on q k'
     * @param scaleByLayer whether layer i also divides the scale by i + 1
     * @param softCap      on scores; 0 = none
     * @param causal       whether a token attends only to itself and earlier tokens
     * @param windows      per layer, the number of keys that a query attends to; 0 = all
     */
    public record Attention(float scale, boolean scaleByLayer, float softCap, boolean causal, List<Integer> windows) {
        /** Without windows and soft cap. */
        static Attention plain(int layers, float scale, boolean causal) {
            return new Attention(scale, false, 0, causal, Collections.nCopies(layers, 0));
        }
    }

    /**
     * @param maxTokens length of the longest text
     * @param ropes     rotary embedding per layer; empty if positions are learned or no element is rotated
     */
    record Positions(int maxTokens, List<Optional<Rope>> ropes) {
        static Positions learned(int maxTokens, int layers) {
            return new Positions(maxTokens, Collections.nCopies(layers, Optional.empty()));
        }
    }

    /**
     * @param kind     of every norm
     * @param epsilon  added to the variance or mean square
     * @param queryKey axis over which q and k are normalised before rotation
     */
    record Norms(Norm kind, float epsilon, Placement placement, QueryKeyNorm queryKey) {}

    enum Norm {
        /** By mean and variance. */
        LAYER,
        /** By mean square. */
        RMS,
        /** By mean square, with weights stored as weight - 1. */
        RMS_ONE_PLUS
    }

    /** Position of the norms in a layer; f is attention or feed-forward. */
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

    /**
     * @param width   inner width, of each expert if there are experts
     * @param gated   whether its product is with f of a gate of the same width
     * @param experts empty for a dense layer
     */
    record FeedForward(int width, boolean gated, Activation activation, Optional<Experts> experts) {
        static FeedForward plain(int width, Activation activation) {
            return new FeedForward(width, false, activation, Optional.empty());
        }

        static FeedForward gated(int width, Activation activation) {
            return new FeedForward(width, true, activation, Optional.empty());
        }

        /** Of up, with the gate if there is one. */
        int expandedWidth() {
            return gated ? Math.multiplyExact(2, width) : width;
        }

        /** 0 for a dense layer. */
        int expertCount() {
            return experts.map(Experts::count).orElse(0);
        }
    }

    /**
     * A mixture of experts.
     *
     * @param perToken experts that the router chooses for each token
     */
    record Experts(int count, int perToken) {}

    /**
     * Biases of the linear maps.
     *
     * @param queryKeyValue of the projections to queries, keys and values
     * @param output        of the projection of head outputs
     * @param feedForward   of a dense layer
     */
    record Biases(Bias queryKeyValue, Bias output, Bias feedForward) {
        static Biases all(Bias bias) {
            return new Biases(bias, bias, bias);
        }
    }

    enum Bias {
        NONE,
        /** Unused, although the file may contain it. */
        SWITCHED_OFF,
        USED;

        static Bias of(boolean used) {
            return used ? USED : SWITCHED_OFF;
        }
    }

    public int layers() {
        return sizes.layers;
    }

    /** Width of the residual stream. */
    public int hidden() {
        return sizes.hidden;
    }

    public int heads() {
        return sizes.heads;
    }

    public int kvHeads() {
        return sizes.kvHeads;
    }

    public int headDim() {
        return sizes.headDim;
    }

    /** Elements of all query heads together. */
    int queryWidth() {
        return sizes.heads * sizes.headDim;
    }

    /** Elements of all key heads together. */
    int keyWidth() {
        return sizes.kvHeads * sizes.headDim;
    }

    /** Elements of all heads of queries, keys and values together. */
    long joinedWidth() {
        return queryWidth() + 2L * keyWidth();
    }

    public int maxTokens() {
        return positions.maxTokens;
    }

    public boolean causal() {
        return attention.causal;
    }
}
