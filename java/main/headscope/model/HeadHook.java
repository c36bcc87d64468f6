package headscope.model;

import headscope.tensor.Tensor;

/** How an analysis sees what heads put out. What it is lent is overwritten once it returns. */
public interface HeadHook {
    HeadHook NONE = (layer, heads) -> {};

    /**
     * After a layer's attention.
     *
     * @param heads [rows, heads * headDim], before the gates and the output projection
     */
    void headOutputs(int layer, Tensor heads);
}
