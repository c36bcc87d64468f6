package headscope.model;

import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.model.ModelConfig.Placement;
import headscope.tensor.Tensor;
import java.util.Optional;
import java.util.function.IntFunction;

/** The layers of a model: from token ids to the output of the last layer, and its gradient back. */
final class Layers {
    private final ModelConfig config;
    private final Weights weights;
    private final Backend backend;
    private final Activations activations;
    private final Adjoints adjoints;
    private final SelfAttention attention;
    private final FeedForward feedForward;

    Layers(
            ModelConfig config, Weights weights, Backend backend, Activations activations, Adjoints adjoints,
            SelfAttention attention) {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        this.activations = activations;
        this.adjoints = adjoints;
        this.attention = attention;
        this.feedForward = new FeedForward(config.feedForward().activation(), backend, activations, adjoints);
    }

    /** A layer's attention in one kind of pass: writes the head outputs [rows, heads * headDim]. */
    interface AttentionStep {
        void run(int layer, Tensor heads, SelfAttention.Projections projections);
    }

    /** The input of the first layer. */
    void embed(Tensor x, int[] ids, Pass pass) {
        backend.embed(x, weights.embedding(), ids);
        addEmbeddings(x, pass);
    }

    /** The input of the first layer in a step of these texts. */
    void embed(Tensor x, DecodingTexts texts, Pass pass) {
        texts.embedTokens(x, weights.embedding());
        addEmbeddings(x, pass);
    }

    private void addEmbeddings(Tensor x, Pass pass) {
        if (config.vocabulary().embeddingScale() != 1) {
            backend.scale(x, config.vocabulary().embeddingScale());
        }
        weights.positions().ifPresent(positions ->
                backend.add(x, pass.positions(positions, activations.branch.rows(x.size(0)))));
        weights.segment().ifPresent(segment -> backend.addRow(x, segment));
        weights.afterEmbedding().ifPresent(norm -> norm.forward(backend, x, x));
    }

    /** @param residual the residual stream [rows, hidden] that a layer reads and adds to */
    void forward(
            Pass pass, IntFunction<Tensor> residual, Optional<HeadGates> gates, LayerHook hook, AttentionStep step) {
        for (int i = 0; i < config.layers(); i++) {
            Weights.Layer layer = weights.layers().get(i);
            Tensor x = residual.apply(i);
            Tensor heads = activations.heads.rows(pass.rows());
            step.run(i, heads, attention.project(i, input(x, layer.beforeAttention()), pass));
            hook.headOutputs(i, heads);
            addBranches(x, attention.gate(i, heads, pass, gates), layer);
        }
    }

    /** Replaces the gradient of a layer's output by that of its input. In the first layer, the gradient stops at the head outputs. */
    void backward(int i, Tape tape, Tensor gradient, GradientHook hook) {
        Weights.Layer layer = weights.layers().get(i);
        Pass pass = tape.pass();
        Tensor before = tape.residual(i);
        SelfAttention.Projections projections = project(i, before, pass);
        Tensor heads = activations.heads.rows(gradient.size(0));
        attention.attend(heads, i, projections, pass);

        Tensor headsGradient = adjoints.heads.rows(gradient.size(0));
        if (config.norms().placement() == Placement.PARALLEL) {
            layer.output().backward(backend, headsGradient, gradient);
            if (i > 0) {
                feedForwardBackward(gradient, before, layer);
            }
        } else {
            Tensor branch = activations.attended.rows(gradient.size(0));
            layer.output().forward(backend, branch, attention.gate(i, heads, pass, tape.gates()));
            Tensor between = activations.residual.rows(gradient.size(0));
            backend.convert(between, before);
            addToResidual(between, branch, layer.afterAttention());
            feedForwardBackward(gradient, between, layer);
            layer.output().backward(backend, headsGradient, normBackward(gradient, branch, layer.afterAttention()));
        }

        attention.gateBackward(i, headsGradient, heads, pass, tape.gates(), hook);
        SelfAttention.Projections gradients =
                attention.attendBackward(i, headsGradient, heads, projections, pass, hook, i > 0);
        if (i > 0) {
            Tensor inputGradient = adjoints.input.rows(gradient.size(0));
            attention.projectBackward(i, inputGradient, gradients, pass);
            addBackward(gradient, inputGradient, before, layer.beforeAttention());
        }
    }

    /** Replaces the gradient of a layer's output by that of x, the residual stream before the feed-forward part. */
    private void feedForwardBackward(Tensor gradient, Tensor x, Weights.Layer layer) {
        Tensor input = input(x, layer.beforeFeedForward());
        Tensor branch = activations.branch.rows(x.size(0));
        feedForward.recompute(input, layer.feedForward());
        if (layer.afterFeedForward().isPresent()) {
            feedForward.recomputeOutput(branch, input, layer.feedForward());
        }
        Tensor inputGradient = adjoints.input.rows(x.size(0));
        feedForward.backward(
                inputGradient, normBackward(gradient, branch, layer.afterFeedForward()), input, layer.feedForward());
        addBackward(gradient, inputGradient, x, layer.beforeFeedForward());
    }

    private SelfAttention.Projections project(int layer, Tensor x, Pass pass) {
        Tensor input = input(x, weights.layers().get(layer).beforeAttention());
        return attention.operands(attention.project(layer, input, pass));
    }

    /** Adds the output projection of heads [rows, heads * headDim] and the feed-forward part to x. */
    private void addBranches(Tensor x, Tensor heads, Weights.Layer layer) {
        Tensor branch = activations.branch.rows(x.size(0));
        if (config.norms().placement() == Placement.PARALLEL) {
            Tensor feedForwardInput = input(x, layer.beforeFeedForward());
            layer.output().addTo(backend, x, heads, branch);
            feedForward.addTo(x, feedForwardInput, layer.feedForward(), branch);
            return;
        }
        if (isAddedUnchanged(layer.afterAttention())) {
            layer.output().addTo(backend, x, heads, branch);
            normSum(x, layer.afterAttention());
        } else {
            layer.output().forward(backend, branch, heads);
            addToResidual(x, branch, layer.afterAttention());
        }
        Tensor input = input(x, layer.beforeFeedForward());
        if (isAddedUnchanged(layer.afterFeedForward())) {
            feedForward.addTo(x, input, layer.feedForward(), branch);
            normSum(x, layer.afterFeedForward());
        } else {
            feedForward.forward(branch, input, layer.feedForward());
            addToResidual(x, branch, layer.afterFeedForward());
        }
    }

    /** Whether attention's or feed-forward's output is added to the residual stream without a norm of its own. */
    private boolean isAddedUnchanged(Optional<Weights.Norm> norm) {
        return norm.isEmpty() || config.norms().placement() == Placement.ON_SUM;
    }

    private void normSum(Tensor x, Optional<Weights.Norm> norm) {
        norm.ifPresent(present -> present.forward(backend, x, x));
    }

    private void addToResidual(Tensor x, Tensor branch, Optional<Weights.Norm> norm) {
        if (isAddedUnchanged(norm)) {
            backend.add(x, branch);
            normSum(x, norm);
        } else {
            backend.add(x, normalised(branch, norm));
        }
    }

    /** The input of products with x; x itself if there is no norm. */
    private Tensor input(Tensor x, Optional<Weights.Norm> norm) {
        return norm.map(present -> present.input(backend, activations.input, x)).orElse(x);
    }

    /** x itself if there is no norm. */
    private Tensor normalised(Tensor x, Optional<Weights.Norm> norm) {
        if (norm.isEmpty()) {
            return x;
        }
        Tensor out = activations.normalised.rows(x.size(0));
        norm.get().forward(backend, out, x);
        return out;
    }

    /** The gradient itself if there is no norm. */
    private Tensor normBackward(Tensor gradient, Tensor x, Optional<Weights.Norm> norm) {
        if (norm.isEmpty()) {
            return gradient;
        }
        Tensor out = adjoints.branch.rows(x.size(0));
        norm.get().backward(backend, out, gradient, x);
        return out;
    }

    /** Adds to gradient the gradient of a branch's input, propagated through the norm of x. */
    private void addBackward(Tensor gradient, Tensor inputGradient, Tensor x, Optional<Weights.Norm> norm) {
        norm.ifPresent(before -> before.backward(backend, inputGradient, inputGradient, x));
        backend.add(gradient, inputGradient);
    }
}
