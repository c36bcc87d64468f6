package headscope.model;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.tensor.Tensor;

/** How an analysis watches a forward pass. What it is lent is overwritten once it returns. */
public interface LayerHook {
    LayerHook NONE = (layer, spec, q, k, statistics) -> {};

    /**
     * After a layer's attention.
     *
     * @param q          [new tokens, heads * headDim], as it met the keys
     * @param k          [all tokens, kvHeads * headDim]
     * @param statistics of all tokens so far
     */
    void attention(int layer, AttentionSpec spec, Tensor q, Tensor k, AttentionStatistics statistics);
}
