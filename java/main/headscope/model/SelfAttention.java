package headscope.model;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
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

    /** q [rows, heads * headDim], fp32 or {@link Backend#operands}; k and v [rows, kvHeads * headDim]. */
    record Projections(Tensor q, Tensor k, Tensor v) {}

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

    /** q, k and v of x [rows, hidden], after norm and rotation. @param in where they are written */
    Projections project(int layer, Tensor x, Pass pass, LayerActivations in) {
        Weights.Layer parameters = weights.layers().get(layer);
        Tensor input = parameters.query().input(backend, x, activations.input);
        long rows = x.size(0);
        Tensor q = in.query.rows(rows);
        Tensor k = in.key.rows(rows);
        Tensor v = in.value.rows(rows);
        project(q, in.rawQuery, input, parameters.query(), parameters.queryNorm());
        project(k, in.rawKey, input, parameters.key(), parameters.keyNorm());
        parameters.value().forward(backend, v, input);
        Optional<RopeTables.Angles> rope = config.positions().ropes().get(layer).map(pass::angles);
        rope.ifPresent(angles -> backend.rotate(k, k, config.headDim(), angles.cosine(), angles.sine()));
        return new Projections(rope.map(angles -> rotated(q, angles, in)).orElse(q), k, v);
    }

    /** q in the type in which attention reads it. */
    private Tensor rotated(Tensor q, RopeTables.Angles angles, LayerActivations in) {
        Tensor rotated = in.queryOperand.inPlaceOf(q);
        backend.rotate(rotated, q, config.headDim(), angles.cosine(), angles.sine());
        return rotated;
    }

    private void project(
            Tensor out, GrowableTensor raw, Tensor input, Weights.Linear linear, Optional<Weights.Norm> norm) {
        if (norm.isPresent()) {
            Tensor before = raw.rows(input.size(0));
            linear.forward(backend, before, input);
            norm.get().forward(backend, out, before);
        } else {
            linear.forward(backend, out, input);
        }
    }

    /** Converts k and v to {@link Backend#operands} for attention over whole texts. */
    Projections operands(Projections projections, LayerActivations in) {
        return new Projections(
                projections.q(), in.keyOperand.of(projections.k()), in.valueOperand.of(projections.v()));
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
            int layer, Tensor gradient, LayerActivations in, Projections projections, Pass pass, GradientHook hook,
            boolean needed) {
        long rows = gradient.size(0);
        Projections gradients = new Projections(
                adjoints.query.rows(rows), adjoints.key.rows(rows), adjoints.value.rows(rows));
        AttentionSpec spec = spec(layer);
        List<Optional<AttentionSaliency>> saliency = new ArrayList<>();
        for (int text = 0; text < pass.packing().count(); text++) {
            int tokens = pass.packing().text(text).queries();
            saliency.add(hook.saliency(layer, text)
                    .map(request -> new AttentionSaliency(backend, config.heads(), tokens, request)));
        }
        if (needed || saliency.stream().anyMatch(Optional::isPresent)) {
            backend.gradients().attention(
                    gradients.q(), gradients.k(), gradients.v(), gradient, in.heads.rows(rows), logSumExp(in, rows), projections.q(),
                    projections.k(), projections.v(), pass.packing(), spec, saliency);
        }
        for (int text = 0; text < saliency.size(); text++) {
            int index = text;
            saliency.get(text).ifPresent(computed -> {
                hook.attention(layer, index, spec, computed);
                computed.close();
            });
        }
        return gradients;
    }

    /** Maps the gradients of q, k and v, which are overwritten, to that of the input. */
    void projectBackward(int layer, Tensor inputGradient, Projections gradients, Pass pass, LayerActivations in) {
        Weights.Layer parameters = weights.layers().get(layer);
        long rows = inputGradient.size(0);
        config.positions().ropes().get(layer).map(pass::angles).ifPresent(angles -> {
            backend.gradients().rotate(gradients.q(), config.headDim(), angles.cosine(), angles.sine());
            backend.gradients().rotate(gradients.k(), config.headDim(), angles.cosine(), angles.sine());
        });
        parameters.queryNorm().ifPresent(norm -> norm.backward(
                backend, gradients.q(), gradients.q(), in.rawQuery.rows(rows)));
        parameters.keyNorm().ifPresent(norm -> norm.backward(
                backend, gradients.k(), gradients.k(), in.rawKey.rows(rows)));
        Tensor addend = adjoints.addend.rows(rows);
        parameters.query().backward(backend, inputGradient, gradients.q());
        parameters.key().backward(backend, addend, gradients.k());
        backend.add(inputGradient, addend);
        parameters.value().backward(backend, addend, gradients.v());
        backend.add(inputGradient, addend);
    }
}
