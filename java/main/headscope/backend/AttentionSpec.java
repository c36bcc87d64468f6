package headscope.backend;

import headscope.tensor.Tensor;
import java.util.Optional;

/**
 * Parameters of attention in which model families differ.
 *
 * @param heads   number of query heads
 * @param kvHeads number of key and value heads; query head h attends to key head h / (heads / kvHeads)
 * @param headDim width of one head
 * @param scale   factor of q k', applied before the soft cap
 * @param causal  whether a query attends to itself and earlier tokens only, instead of all tokens
 * @param window  maximum number of keys per query, itself included; 0 for no limit; causal attention only
 * @param softCap scores become softCap * tanh(score / softCap); 0 for none
 * @param sinks   one score per query head, fp32 [heads], that is part of the softmax but has no value: rows of
 *                probabilities sum to less than 1
 */
public record AttentionSpec(
        int heads, int kvHeads, int headDim, float scale, boolean causal, int window, float softCap,
        Optional<Tensor> sinks) {
    public AttentionSpec {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "%d query heads, %d key heads, width %d".formatted(heads, kvHeads, headDim));
        }
        if (window < 0 || softCap < 0 || (window > 0 && !causal)) {
            throw new IllegalArgumentException(
                    "window %d, soft cap %s, causal %s".formatted(window, softCap, causal));
        }
    }

    /** Scale 1 / sqrt(headDim), without window, soft cap and sinks. */
    public static AttentionSpec plain(int heads, int kvHeads, int headDim, boolean causal) {
        return new AttentionSpec(
                heads, kvHeads, headDim, (float) (1 / Math.sqrt(headDim)), causal, 0, 0, Optional.empty());
    }

    /** The key and value head of a query head. */
    public int kvHead(int head) {
        return head / (heads / kvHeads);
    }

    /** The first key visible to the query at position row. */
    public int firstKey(int row) {
        return window == 0 ? 0 : Math.max(0, row - window + 1);
    }

    /** One past the last key visible to the query at position row, if there are this many keys. */
    public int endKey(int row, int keys) {
        return causal ? row + 1 : keys;
    }
}
