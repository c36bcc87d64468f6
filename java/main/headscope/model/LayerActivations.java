package headscope.model;

import headscope.backend.Backend;
import headscope.model.ModelConfig.Placement;
import headscope.model.ModelConfig.QueryKeyNorm;
import headscope.tensor.DType;

/**
 * What a pass computes in a layer and the backward pass through it needs. Shapes are those of one row, which is a token.
 * Passes that keep nothing share one instance among all layers.
 */
final class LayerActivations {
    /** Whether the backward pass finds the results of the forward pass here; otherwise it computes them again. */
    final boolean kept;
    /** [heads * headDim]. */
    final GrowableTensor query;
    /** [heads * headDim]: q before its norm. */
    final GrowableTensor rawQuery;
    /** [heads * headDim]: q in the element type that attention reads. */
    final GrowableTensor queryOperand;
    /** [kvHeads * headDim]. */
    final GrowableTensor key;
    /** [kvHeads * headDim]: k before its norm. */
    final GrowableTensor rawKey;
    /** [kvHeads * headDim]. */
    final GrowableTensor value;
    /** [kvHeads * headDim]: k in the element type that attention reads. */
    final GrowableTensor keyOperand;
    /** [kvHeads * headDim]: v in the element type that attention reads. */
    final GrowableTensor valueOperand;
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
        query = workspace.tensor(config.queryWidth());
        rawQuery = workspace.tensor(config.queryWidth());
        queryOperand = workspace.operand(config.queryWidth());
        key = workspace.tensor(config.keyWidth());
        rawKey = workspace.tensor(config.keyWidth());
        value = workspace.tensor(config.keyWidth());
        keyOperand = workspace.operand(config.keyWidth());
        valueOperand = workspace.operand(config.keyWidth());
        logSumExp = workspace.tensor(config.heads());
        heads = workspace.tensor(config.queryWidth());
        between = workspace.tensor(config.hidden());
        up = workspace.tensor(config.feedForward().expandedWidth());
    }

    /** Bytes that keeping a layer takes per row, at most. */
    static long bytesPerRow(ModelConfig config, Backend backend) {
        long projections = config.queryWidth() + 2L * config.keyWidth();
        long raw = config.norms().queryKey() == QueryKeyNorm.NONE ? 0 : config.queryWidth() + (long) config.keyWidth();
        long between = config.norms().placement() == Placement.PARALLEL ? 0 : config.hidden();
        long fp32 = projections + raw + config.heads() + config.queryWidth() + between + config.feedForward().expandedWidth();
        boolean converted = backend.operands() != DType.F32;
        return fp32 * Float.BYTES + (converted ? projections * backend.operands().bytes : 0);
    }
}
