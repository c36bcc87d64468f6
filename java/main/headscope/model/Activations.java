package headscope.model;

/** Intermediate results of the forward pass. Shapes are those of one row; a row is a token unless noted otherwise. */
final class Activations {
    /** [hidden]: the residual stream. */
    final GrowableTensor residual;
    /** [hidden]: output of a norm that is added to the residual stream. */
    final GrowableTensor normalised;
    /** [hidden]: input of products, in the element type of their weights. */
    final GrowableTensor input;
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
    /** [heads * headDim]: head outputs times their gates. */
    final GrowableTensor gated;
    /** [hidden]: output of attention or feed-forward before it is added to the residual stream. */
    final GrowableTensor branch;
    /** [hidden]: attention's output, kept by the backward pass while branch holds that of the feed-forward layer. */
    final GrowableTensor attended;
    /** [feed-forward width]. */
    final GrowableTensor up;
    /** [feed-forward width]. */
    final GrowableTensor gate;
    /** [feed-forward width]: input of the down projection, if that is not fp32. */
    final GrowableTensor expanded;
    /** [experts]: share of each expert in a token's output. */
    final GrowableTensor shares;
    /** [hidden]: output of one expert. */
    final GrowableTensor part;
    /** [hidden]: rows for which logits are computed. */
    final GrowableTensor picked;
    /** [hidden]: these rows after the transform of the logits head. */
    final GrowableTensor transformed;
    /** [vocabulary]. */
    final GrowableTensor logits;

    Activations(ModelConfig config, Workspace workspace) {
        residual = workspace.tensor(config.hidden());
        normalised = workspace.tensor(config.hidden());
        input = workspace.operand(config.hidden());
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
        gated = workspace.tensor(config.queryWidth());
        branch = workspace.tensor(config.hidden());
        attended = workspace.tensor(config.hidden());
        up = workspace.tensor(config.feedForward().width());
        gate = workspace.tensor(config.feedForward().width());
        expanded = workspace.operand(config.feedForward().width());
        shares = workspace.tensor(config.feedForward().expertCount());
        part = workspace.tensor(config.hidden());
        picked = workspace.tensor(config.hidden());
        transformed = workspace.tensor(config.hidden());
        logits = workspace.tensor(config.vocabulary().size());
    }
}
