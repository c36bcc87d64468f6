package headscope.model;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Packing;
import headscope.tensor.Tensor;

/**
 * Observes a forward pass layer by layer: a prompt, a decoded token or a batch. Each method is called once per layer,
 * on the thread that runs the pass. Tensors and statistics are reused: they are valid only until the method returns.
 */
public interface LayerHook {
    /** Ignores every layer. */
    LayerHook NONE = new LayerHook() {
        @Override
        public boolean onlyCounts() {
            return true;
        }
    };

    /**
     * One layer's attention. Rows of a text are {@link headscope.backend.TextRows} of the packing.
     *
     * @param query      [new tokens, heads * headDim], after norm and rotation
     * @param key        [all tokens so far, kvHeads * headDim], after norm and rotation
     * @param packing    the texts of the pass
     * @param statistics of all rows so far, for each text
     */
    record Attention(
            AttentionSpec spec, Tensor query, Tensor key, Packing packing, AttentionStatistics statistics) {}

    /**
     * Called after a layer's attention if the pass collects statistics: for a {@link Transformer#sequence}, and by
     * {@link Transformer#observe}, which overwrites the statistics in the next layer.
     */
    default void attention(int layer, Attention attention) {}

    /**
     * Called after a layer's attention, in every pass.
     *
     * @param heads [new tokens, heads * headDim], before the gates and the output projection; for a batch, the tokens
     *              of all its texts. In fp32 if {@link #readsHeadOutputs}, otherwise possibly rounded to the type of
     *              that projection
     */
    default void headOutputs(int layer, Tensor heads) {}

    /** Whether {@link #headOutputs} reads the elements of head outputs, in fp32. */
    default boolean readsHeadOutputs() {
        return false;
    }

    /** Whether it observes no layer. Then a pass may run as a whole on the device, after which {@link #passed} is called. */
    default boolean onlyCounts() {
        return false;
    }

    /** Called after a pass over this many new tokens, instead of the methods for its layers. */
    default void passed(int tokens) {}
}
