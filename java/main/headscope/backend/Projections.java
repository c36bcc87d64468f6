package headscope.backend;

import headscope.tensor.Tensor;

/** Queries [rows, heads * headDim], keys and values [keys, kvHeads * headDim], or their gradients. */
public record Projections(Tensor q, Tensor k, Tensor v) {}
