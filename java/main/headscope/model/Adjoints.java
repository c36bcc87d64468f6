package headscope.model;

/**
 * Intermediate results of the backward pass: each is the gradient with respect to its namesake in {@link Activations}.
 * Shapes are those of one row; a row is a token unless noted otherwise.
 */
final class Adjoints {
    /** [hidden]. */
    final GrowableTensor residual;
    /** [hidden]: input of attention or feed-forward. */
    final GrowableTensor input;
    /** [hidden]. */
    final GrowableTensor branch;
    /** [heads * headDim]. */
    final GrowableTensor heads;
    /** [(heads + 2 kvHeads) * headDim]. */
    final GrowableTensor joined;
    /** [heads * headDim]. */
    final GrowableTensor query;
    /** [kvHeads * headDim]. */
    final GrowableTensor key;
    /** [kvHeads * headDim]. */
    final GrowableTensor value;
    /** [heads]; a row is a text. */
    final GrowableTensor gates;
    /** [feed-forward width], or gate and up [2 * width]. */
    final GrowableTensor up;
    /** [feed-forward width]. */
    final GrowableTensor expanded;
    /** [experts]. */
    final GrowableTensor shares;
    /** [hidden]: input of one expert. */
    final GrowableTensor part;
    /** [hidden]. */
    final GrowableTensor picked;
    /** [vocabulary]: not a gradient, but the logits computed again. */
    final GrowableTensor logits;

    Adjoints(ModelConfig config, Workspace workspace) {
        residual = workspace.tensor(config.hidden());
        input = workspace.tensor(config.hidden());
        branch = workspace.tensor(config.hidden());
        heads = workspace.tensor(config.queryWidth());
        joined = workspace.tensor(config.joinedWidth());
        query = workspace.tensor(config.queryWidth());
        key = workspace.tensor(config.keyWidth());
        value = workspace.tensor(config.keyWidth());
        gates = workspace.tensor(config.heads());
        up = workspace.tensor(config.feedForward().expandedWidth());
        expanded = workspace.tensor(config.feedForward().width());
        shares = workspace.tensor(config.feedForward().expertCount());
        part = workspace.tensor(config.hidden());
        picked = workspace.tensor(config.hidden());
        logits = workspace.tensor(config.vocabulary().size());
    }
}
