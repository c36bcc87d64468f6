package headscope.model;

import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.backend.Projections;
import headscope.model.ModelConfig.Placement;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Optional;

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

    /** A layer's attention in one kind of pass: writes the head outputs [rows, heads * headDim] of {@link SelfAttention#project}. */
    interface AttentionStep {
        void run(int layer, Tensor heads, Tensor joined);
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

    /** Runs all layers on the residual stream x [rows, hidden]. */
    void forward(Pass pass, Tensor x, Optional<HeadGates> gates, LayerHook hook, AttentionStep step) {
        boolean rounded = backend.operands() != DType.F32 && gates.isEmpty() && !hook.readsHeadOutputs();
        Tensor heads = (rounded ? activations.roundedHeads : activations.layer.heads).rows(pass.rows());
        for (int i = 0; i < config.layers(); i++) {
            forward(i, pass, x, activations.layer, heads, gates, hook, step);
        }
    }

    /** Runs all layers and keeps what the backward pass needs. */
    void forward(Tape tape, LayerHook hook) {
        for (int i = 0; i < config.layers(); i++) {
            Tensor x = tape.residual(i + 1);
            backend.convert(x, tape.residual(i));
            LayerActivations in = tape.activations(i);
            forward(i, tape.pass(), x, in, in.heads.rows(tape.pass().rows()), tape.gates(), hook,
                    (layer, heads, joined) -> attend(layer, joined, tape.pass(), in));
        }
    }

    private void attend(int layer, Tensor joined, Pass pass, LayerActivations in) {
        attention.attend(
                layer, attention.split(attention.operands(pass.rows(), in), layer, joined, pass), pass, in);
    }

    private void forward(
            int i, Pass pass, Tensor x, LayerActivations in, Tensor heads, Optional<HeadGates> gates, LayerHook hook,
            AttentionStep step) {
        Weights.Layer layer = weights.layers().get(i);
        step.run(i, heads, attention.project(i, input(x, layer.beforeAttention()), in));
        hook.headOutputs(i, heads);
        addBranches(x, attention.gate(i, heads, pass, gates), layer, in);
    }

    /** Replaces the gradient of a layer's output by that of its input. In the first layer, the gradient stops at the head outputs. */
    void backward(int i, Tape tape, Tensor gradient, GradientHook hook) {
        Weights.Layer layer = weights.layers().get(i);
        Pass pass = tape.pass();
        Tensor before = tape.residual(i);
        LayerActivations in = tape.activations(i);
        if (!in.kept) {
            attend(i, attention.project(i, input(before, layer.beforeAttention()), in), pass, in);
        }
        Tensor heads = in.heads.rows(gradient.size(0));

        Tensor headsGradient = adjoints.heads.rows(gradient.size(0));
        if (config.norms().placement() == Placement.PARALLEL) {
            layer.output().backward(backend, headsGradient, gradient);
            if (i > 0) {
                feedForwardBackward(gradient, before, layer, in);
            }
        } else {
            Tensor branch = activations.attended.rows(gradient.size(0));
            Tensor between = in.between.rows(gradient.size(0));
            if (!in.kept) {
                backend.convert(between, before);
                addAttention(between, attention.gate(i, heads, pass, tape.gates()), layer, branch);
            } else if (layer.afterAttention().isPresent()) {
                layer.output().forward(backend, branch, attention.gate(i, heads, pass, tape.gates()));
            }
            feedForwardBackward(gradient, between, layer, in);
            layer.output().backward(backend, headsGradient, normBackward(gradient, branch, layer.afterAttention()));
        }

        attention.gateBackward(i, headsGradient, heads, pass, tape.gates(), hook);
        Projections gradients = attention.attendBackward(i, headsGradient, in, pass, hook, i > 0);
        if (i > 0) {
            Tensor inputGradient = adjoints.input.rows(gradient.size(0));
            attention.projectBackward(i, inputGradient, gradients, pass, in);
            addBackward(gradient, inputGradient, before, layer.beforeAttention());
        }
    }

    /** Replaces the gradient of a layer's output by that of x, the residual stream before the feed-forward part. */
    private void feedForwardBackward(Tensor gradient, Tensor x, Weights.Layer layer, LayerActivations in) {
        Tensor input = x;
        if (!FeedForward.isKept(layer.feedForward(), in)) {
            input = input(x, layer.beforeFeedForward());
            feedForward.recompute(input, layer.feedForward(), in);
        }
        Tensor branch = activations.branch.rows(x.size(0));
        if (layer.afterFeedForward().isPresent()) {
            feedForward.recomputeOutput(branch, input, layer.feedForward(), in);
        }
        Tensor inputGradient = adjoints.input.rows(x.size(0));
        feedForward.backward(
                inputGradient, normBackward(gradient, branch, layer.afterFeedForward()), input, layer.feedForward(), in);
        addBackward(gradient, inputGradient, x, layer.beforeFeedForward());
    }

    /** Adds the output projection of heads [rows, heads * headDim] and the feed-forward part to x. */
    private void addBranches(Tensor x, Tensor heads, Weights.Layer layer, LayerActivations in) {
        Tensor branch = activations.branch.rows(x.size(0));
        if (config.norms().placement() == Placement.PARALLEL) {
            Tensor feedForwardInput = input(x, layer.beforeFeedForward());
            layer.output().addTo(backend, x, heads, branch);
            feedForward.addTo(x, feedForwardInput, layer.feedForward(), branch, in);
            return;
        }
        addAttention(x, heads, layer, branch);
        if (in.kept) {
            backend.convert(in.between.rows(x.size(0)), x);
        }
        Tensor input = input(x, layer.beforeFeedForward());
        if (isAddedUnchanged(layer.afterFeedForward())) {
            feedForward.addTo(x, input, layer.feedForward(), branch, in);
            normSum(x, layer.afterFeedForward());
        } else {
            feedForward.forward(branch, input, layer.feedForward(), in);
            addToResidual(x, branch, layer.afterFeedForward());
        }
    }

    /** Adds attention's output to x. The backward pass repeats it: a sum in the product and one after it round differently. */
    private void addAttention(Tensor x, Tensor heads, Weights.Layer layer, Tensor branch) {
        if (isAddedUnchanged(layer.afterAttention())) {
            layer.output().addTo(backend, x, heads, branch);
            normSum(x, layer.afterAttention());
        } else {
            layer.output().forward(backend, branch, heads);
            addToResidual(x, branch, layer.afterAttention());
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
