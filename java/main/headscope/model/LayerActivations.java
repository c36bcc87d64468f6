package headscope.model;

import headscope.backend.Backend;
import headscope.model.ModelConfig.Placement;
import headscope.model.ModelConfig.QueryKeyNorm;

/**
 * What a pass computes in a layer and the backward pass through it needs. Shapes are those of one row, which is a token.
 * Passes that keep nothing share one instance among all layers.
 */
final class LayerActivations {
    /** Whether the backward pass finds the results of the forward pass here; otherwise it computes them again. */
    final boolean kept;
    /** [(heads + 2 kvHeads) * headDim]: q, k and v before norm and rotation. */
    final GrowableTensor joined;
    /** [heads * headDim], in the element type that attention reads, as key and value. */
    final GrowableTensor query;
    /** [kvHeads * headDim]. */
    final GrowableTensor key;
    /** [kvHeads * headDim]. */
    final GrowableTensor value;
    /** [heads]; the values of one text are contiguous, [heads, tokens]. */
    final GrowableTensor logSumExp;
    /** [heads * headDim]: head outputs. */
    final GrowableTensor heads;
    /** [hidden]: the residual stream between attention and the feed-forward part, for the backward pass. */
    final GrowableTensor between;
    /** [feed-forward width], or gate and up [2 * width]. */
    final GrowableTensor up;

    LayerActivations(ModelConfig config, Workspace workspace, boolean kept) {
        this.kept = kept;
        joined = workspace.tensor(config.joinedWidth());
        query = workspace.operand(config.queryWidth());
        key = workspace.operand(config.keyWidth());
        value = workspace.operand(config.keyWidth());
        logSumExp = workspace.tensor(config.heads());
        heads = workspace.tensor(config.queryWidth());
        between = workspace.tensor(config.hidden());
        up = workspace.tensor(config.feedForward().expandedWidth());
    }

    /** Bytes that keeping a layer takes per row, at most. */
    static long bytesPerRow(ModelConfig config, Backend backend) {
        long joined = config.norms().queryKey() == QueryKeyNorm.NONE ? 0 : config.joinedWidth();
        long between = config.norms().placement() == Placement.PARALLEL ? 0 : config.hidden();
        long fp32 = joined + config.heads() + config.queryWidth() + between + config.feedForward().expandedWidth();
        return fp32 * Float.BYTES + config.joinedWidth() * backend.operands().bytes;
    }
}
