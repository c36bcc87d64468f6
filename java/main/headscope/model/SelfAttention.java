package headscope.model;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.HeadTransform;
import headscope.backend.Projections;
import headscope.backend.RowRanges;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The attention of a layer, from its normalised input to the head outputs. */
final class SelfAttention {
    private final ModelConfig config;
    private final Weights weights;
    private final Backend backend;
    private final Activations activations;
    private final Adjoints adjoints;

    SelfAttention(
            ModelConfig config, Weights weights, Backend backend, Activations activations, Adjoints adjoints) {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        this.activations = activations;
        this.adjoints = adjoints;
    }

    AttentionSpec spec(int layer) {
        ModelConfig.Attention attention = config.attention();
        float scale = attention.scaleByLayer() ? attention.scale() / (layer + 1) : attention.scale();
        return new AttentionSpec(
                config.heads(), config.kvHeads(), config.headDim(), scale, attention.causal(),
                attention.windows().get(layer), attention.softCap(), weights.layers().get(layer).sinks());
    }

    /** The joined projections of x [rows, hidden]: q, k and v in each row, before norm and rotation. */
    Tensor project(int layer, Tensor x, LayerActivations in) {
        Tensor joined = joined(x.size(0), in);
        weights.layers().get(layer).queryKeyValue().forward(backend, joined, x);
        return joined;
    }

    /** The backward pass needs them only if they are normalised. */
    private Tensor joined(long rows, LayerActivations in) {
        boolean normed = config.norms().queryKey() != ModelConfig.QueryKeyNorm.NONE;
        return (normed ? in : activations.layer).joined.rows(rows);
    }

    /** Where attention over whole texts finds q, k and v. */
    Projections operands(long rows, LayerActivations in) {
        return new Projections(in.query.rows(rows), in.key.rows(rows), in.value.rows(rows));
    }

    /** Writes q, k and v of joined projections, after norm and rotation. */
    Projections split(Projections to, int layer, Tensor joined, Pass pass) {
        backend.splitHeads(to, joined, transform(layer, pass), pass.packing());
        return to;
    }

    private HeadTransform transform(int layer, Pass pass) {
        return new HeadTransform(
                config.headDim(), weights.layers().get(layer).headNorm(), config.positions().ropes().get(layer)
                .map(pass::angles).map(angles -> new HeadTransform.Rotation(angles.cosine(), angles.sine())));
    }

    /** Head outputs over whole texts [rows, heads * headDim], before the gates, and what the backward pass needs of them. */
    void attend(int layer, Projections projections, Pass pass, LayerActivations in) {
        backend.attention(
                in.heads.rows(pass.rows()), logSumExp(in, pass.rows()), projections.q(), projections.k(), projections.v(),
                pass.packing(), spec(layer));
    }

    /** Head outputs times their gates. */
    Tensor gate(int layer, Tensor heads, Pass pass, Optional<HeadGates> gates) {
        if (gates.isEmpty()) {
            return heads;
        }
        Tensor gated = activations.gated.rows(heads.size(0));
        backend.convert(gated, heads);
        backend.scaleHeads(gated, gates.get().factors(layer), pass.gated(gates));
        return gated;
    }

    /** [heads * rows]; one text after the other. */
    private Tensor logSumExp(LayerActivations in, long rows) {
        return in.logSumExp.rows(rows).as(config.heads() * rows);
    }

    /**
     * Maps the gradient of the gated head outputs to that of the head outputs.
     *
     * @param gradient overwritten
     * @param heads    result of {@link #attend}
     */
    void gateBackward(
            int layer, Tensor gradient, Tensor heads, Pass pass, Optional<HeadGates> gates, GradientHook hook) {
        int texts = pass.packing().count();
        Tensor gatesGradient = adjoints.gates.rows(texts);
        RowRanges gated = pass.gated(gates);
        backend.gradients().scaleHeads(gatesGradient, gradient, heads, gated);
        float[] all = backend.download(gatesGradient);
        for (int text = 0; text < texts; text++) {
            hook.gates(layer, text, Arrays.copyOfRange(all, text * config.heads(), (text + 1) * config.heads()));
        }
        gates.ifPresent(set -> backend.scaleHeads(gradient, set.factors(layer), gated));
    }

    /**
     * Maps the gradient of the head outputs to those of q, k and v.
     *
     * @param needed whether the result is used; otherwise only what the hook requests is computed
     */
    Projections attendBackward(
            int layer, Tensor gradient, LayerActivations in, Pass pass, GradientHook hook, boolean needed) {
        long rows = gradient.size(0);
        Projections operands = operands(rows, in);
        Projections gradients = new Projections(
                adjoints.query.rows(rows), adjoints.key.rows(rows), adjoints.value.rows(rows));
        AttentionSpec spec = spec(layer);
        List<Optional<AttentionSaliency>> saliency = new ArrayList<>();
        try {
            for (int text = 0; text < pass.packing().count(); text++) {
                int tokens = pass.packing().text(text).queries();
                saliency.add(hook.saliency(layer, text)
                        .map(request -> new AttentionSaliency(backend, config.heads(), tokens, request)));
            }
            if (needed || saliency.stream().anyMatch(Optional::isPresent)) {
                backend.gradients().attention(
                        gradients.q(), gradients.k(), gradients.v(), gradient, in.heads.rows(rows), logSumExp(in, rows),
                        operands.q(), operands.k(), operands.v(), pass.packing(), spec, saliency);
            }
            for (int text = 0; text < saliency.size(); text++) {
                int index = text;
                saliency.get(text).ifPresent(computed -> hook.attention(layer, index, spec, computed));
            }
            return gradients;
        } finally {
            saliency.forEach(one -> one.ifPresent(AttentionSaliency::close));
        }
    }

    /** Maps the gradients of q, k and v to that of the input. */
    void projectBackward(int layer, Tensor inputGradient, Projections gradients, Pass pass, LayerActivations in) {
        Tensor joinedGradient = adjoints.joined.rows(pass.rows());
        backend.gradients().splitHeads(joinedGradient, gradients, joined(pass.rows(), in), transform(layer, pass));
        weights.layers().get(layer).queryKeyValue().backward(backend, inputGradient, joinedGradient);
    }
}
