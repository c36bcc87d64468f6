package headscope.backend;

import headscope.tensor.Tensor;
import java.util.Optional;

/**
 * Everything that model families vary about attention.
 *
 * @param heads   query heads
 * @param kvHeads key and value heads; query head h reads key head h / (heads / kvHeads)
 * @param headDim elements of one head
 * @param scale   factor on q k' before the soft cap
 * @param causal  a query sees itself and earlier keys only; otherwise all keys
 * @param window  a query sees at most this many keys, itself included; 0 = no limit; only where causal
 * @param softCap scores become softCap * tanh(score / softCap); 0 = none
 * @param sinks   one score per query head, fp32 [heads], that joins the softmax and is then dropped: rows sum to
 *                less than one
 */
public record AttentionSpec(
        int heads, int kvHeads, int headDim, float scale, boolean causal, int window, float softCap,
        Optional<Tensor> sinks) {
    public AttentionSpec {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "%d query heads over %d key heads of width %d".formatted(heads, kvHeads, headDim));
        }
        if (window < 0 || softCap < 0 || (window > 0 && !causal)) {
            throw new IllegalArgumentException(
                    "window %d, soft cap %s, causal %s".formatted(window, softCap, causal));
        }
    }

    /** Plain attention with 1 / sqrt(headDim): no window, no cap, no sinks. */
    public static AttentionSpec plain(int heads, int kvHeads, int headDim, boolean causal) {
        return new AttentionSpec(
                heads, kvHeads, headDim, (float) (1 / Math.sqrt(headDim)), causal, 0, 0, Optional.empty());
    }

    /** The key and value head that a query head reads. */
    public int kvHead(int head) {
        return head / (heads / kvHeads);
    }

    /** The first key that query row sees. */
    public int firstKey(int row) {
        return window == 0 ? 0 : Math.max(0, row - window + 1);
    }

    /** One past the last key that query row sees, of keys in all. */
    public int endKey(int row, int keys) {
        return causal ? row + 1 : keys;
    }
}
