package headscope.model;

/** Intermediate results of the forward pass. Shapes are those of one row; a row is a token unless noted otherwise. */
final class Activations {
    /** Of the layer that is computed, unless a tape keeps them. */
    final LayerActivations layer;
    /** [hidden]: the residual stream. */
    final GrowableTensor residual;
    /** [hidden]: output of a norm that is added to the residual stream. */
    final GrowableTensor normalised;
    /** [hidden]: input of products, in the element type of their weights. */
    final GrowableTensor input;
    /** [heads * headDim]: head outputs that nobody reads in fp32, in the element type of the output projection's weights. */
    final GrowableTensor roundedHeads;
    /** [heads * headDim]: head outputs times their gates. */
    final GrowableTensor gated;
    /** [hidden]: output of attention or feed-forward before it is added to the residual stream. */
    final GrowableTensor branch;
    /** [hidden]: attention's output, kept by the backward pass while branch holds that of the feed-forward layer. */
    final GrowableTensor attended;
    /** [feed-forward width]: input of the down projection, in the element type of its weights, unless it takes the place of up. */
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
        layer = new LayerActivations(config, workspace, false);
        residual = workspace.tensor(config.hidden());
        normalised = workspace.tensor(config.hidden());
        input = workspace.operand(config.hidden());
        roundedHeads = workspace.operand(config.queryWidth());
        gated = workspace.tensor(config.queryWidth());
        branch = workspace.tensor(config.hidden());
        attended = workspace.tensor(config.hidden());
        expanded = workspace.operand(config.feedForward().width());
        shares = workspace.tensor(config.feedForward().expertCount());
        part = workspace.tensor(config.hidden());
        picked = workspace.tensor(config.hidden());
        transformed = workspace.tensor(config.hidden());
        logits = workspace.tensor(config.vocabulary().size());
    }
}
