package headscope.backend.cuda;

import headscope.backend.Activation;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Gradients;
import headscope.backend.HeadTransform;
import headscope.backend.Packing;
import headscope.backend.Projections;
import headscope.backend.RowRanges;
import headscope.backend.TextRows;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** Launches the gradient kernels. Everything is fp32, except products with 16-bit weights. */
final class CudaGradients implements Gradients {
    private final Device device;
    private final Kernels kernels;

    CudaGradients(Device device, Kernels kernels) {
        this.device = device;
        this.kernels = kernels;
    }

    @Override
    public void linear(Tensor destination, Tensor gradient, Tensor weight) {
        kernels.product(destination, gradient, weight);
    }

    @Override
    public void linearWeight(Tensor destination, Tensor gradient, Tensor x) {
        device.multiply(new Product(destination, gradient, true, x, false));
    }

    @Override
    public void linearBias(Tensor destination, Tensor gradient) {
        kernels.perElement("linear_gradient", "linear_bias_gradient_f32", destination.count(),
                destination, gradient, gradient.intSize(0), gradient.intSize(1));
    }

    @Override
    public void layerNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        int width = weight.intSize(0);
        kernels.perRow("layer_norm_gradient", x.count() / width, width,
                destination, gradient, x, weight, epsilon, width);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        int width = weight.intSize(0);
        kernels.perRow("rms_norm_gradient", x.count() / width, width,
                destination, gradient, x, weight, epsilon, width);
    }

    @Override
    public void splitHeads(Tensor joinedGradient, Projections gradients, Tensor joined, HeadTransform transform) {
        SplitHeads.of(kernels, transform, gradients).gradient(joinedGradient, gradients, joined);
    }

    @Override
    public void activate(Tensor gradient, Tensor x, Activation f) {
        kernels.perElement("activation_gradient", CudaBackend.name(f) + "_gradient_f32", x.count(),
                gradient, x, x.count());
    }

    @Override
    public void gate(
            Tensor gateUpGradient, Tensor gradient, Tensor gateUp, Activation f) {
        kernels.perColumnsOfRow("activation_gradient", "activation_gradient_gate_columns",
                CudaBackend.name(f) + "_gate_gradient_f32", gradient, gateUpGradient, gradient, gateUp, gradient.intSize(1));
    }

    @Override
    public void softCap(Tensor gradient, Tensor capped, float cap) {
        kernels.perElement("soft_cap_gradient", "soft_cap_gradient_f32", capped.count(),
                gradient, capped, cap, capped.count());
    }

    @Override
    public void route(Tensor gradient, Tensor shares) {
        kernels.perRow("route_gradient", shares.size(0), shares.intSize(1), gradient, shares, shares.intSize(1));
    }

    @Override
    public void addShare(
            Tensor yGradient, Tensor shareGradient, Tensor gradient, Tensor y, Tensor shares, int column) {
        kernels.perRow("add_share_gradient", y.size(0), y.intSize(1),
                yGradient, shareGradient, gradient, y, shares, column, y.intSize(1), shares.intSize(1));
    }

    @Override
    public void embed(Tensor destination, Tensor gradient, int[] ids) {
        int width = destination.intSize(1);
        kernels.perElement("elementwise", "zero_f32", destination.count(), destination, destination.count());
        try (Kernels.Scratch rows = kernels.uploaded(MemorySegment.ofArray(ids))) {
            kernels.perRow("embed_gradient", ids.length, width, destination, gradient, rows.memory(), width);
        }
    }

    @Override
    public void scaleHeads(Tensor destination, Tensor gradient, Tensor x, RowRanges ranges) {
        int heads = destination.intSize(1);
        try (Kernels.Scratch bounds = kernels.uploaded(MemorySegment.ofArray(ranges.bounds()))) {
            kernels.perBlock("scale_heads_gradient", "scale_heads_gradient_f32", destination.count(),
                    destination, gradient, x, bounds.memory(), heads, x.intSize(1) / heads);
        }
    }

    @Override
    public void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            List<Optional<AttentionSaliency>> saliency) {
        if (saliency.stream().noneMatch(Optional::isPresent)) {
            new AttentionGradient(kernels, gradient, logSumExp, q, k, v, PackedTexts.ofRows(packing, spec), spec)
                    .withoutSaliency(qGradient, kGradient, vGradient, out);
            return;
        }
        for (int i = 0; i < packing.count(); i++) {
            TextRows text = new TextRows(packing, i);
            Packing alone = Packing.of(packing.text(i).queries(), packing.text(i).keys());
            AttentionGradient attention = new AttentionGradient(
                    kernels, text.queries(gradient), text.logSumExp(logSumExp, spec.heads()), text.queries(q),
                    text.keys(k), text.keys(v), PackedTexts.ofRows(alone, spec), spec);
            Tensor ofQueries = text.queries(qGradient);
            Tensor ofKeys = text.keys(kGradient);
            Tensor ofValues = text.keys(vGradient);
            if (saliency.get(i).isPresent()) {
                attention.withSaliency(ofQueries, ofKeys, ofValues, text.queries(out), saliency.get(i).get());
            } else {
                attention.withoutSaliency(ofQueries, ofKeys, ofValues, text.queries(out));
            }
        }
    }

    @Override
    public float[] crossEntropy(Tensor logits, int[] targets, float[] factors) {
        float[] loss = new float[targets.length];
        try (Kernels.Scratch losses = kernels.scratch((long) targets.length * Float.BYTES);
                Kernels.Scratch words = kernels.uploaded(MemorySegment.ofArray(targets));
                Kernels.Scratch weights = kernels.uploaded(MemorySegment.ofArray(factors))) {
            kernels.perRow("cross_entropy", targets.length, logits.intSize(1),
                    losses.memory(), logits, words.memory(), weights.memory(), logits.intSize(1));
            device.download(MemorySegment.ofArray(loss), losses.memory());
        }
        return loss;
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step) {
        kernels.perElement("adam_w", "adam_w_f32", parameter.count(),
                parameter, gradient, m, v, settings.rate(), settings.beta1(), settings.beta2(), settings.epsilon(),
                settings.decay(), biasCorrection(settings.beta1(), step), biasCorrection(settings.beta2(), step), parameter.count());
    }

    /** Bias correction of a running mean that started at 0. */
    private static float biasCorrection(float beta, int step) {
        return (float) (1 - Math.pow(beta, step));
    }
}
