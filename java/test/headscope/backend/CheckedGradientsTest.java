package headscope.backend;


import headscope.backend.AttentionSaliency.Request;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Wrong arguments of {@link Gradients} are rejected. */
class CheckedGradientsTest extends ArgumentChecks {
    private final Gradients gradients = backend.gradients();

    @Test
    void linear() {
        refused("linear's gradient: ", () -> gradients.linear(floats(3, 5), floats(3, 5), floats(5, 4)));
        refused("linear's gradient: ", () -> gradients.linear(floats(3, 4), floats(3, 4), floats(5, 4)));
        refused("linear's gradient: BF16[5, 4] is not F32",
                () -> gradients.linear(floats(3, 4), floats(3, 5), of(DType.BF16, 5, 4)));
        refused("linear's gradient: F32[5, 4] is closed",
                () -> gradients.linear(floats(3, 4), floats(3, 5), closed(5, 4)));
        refused("linear's weight gradient: ", () -> gradients.linearWeight(floats(4, 5), floats(3, 5), floats(3, 4)));
        refused("linear's weight gradient: ", () -> gradients.linearWeight(floats(5, 4), floats(3, 5), floats(2, 4)));
        refused("linear's bias gradient: ", () -> gradients.linearBias(floats(3), floats(3, 5)));
        refused("linear's bias gradient: F64[5] is not F32",
                () -> gradients.linearBias(of(DType.F64, 5), floats(3, 5)));
    }

    @Test
    void norms() {
        Tensor x = floats(3, 4);
        refused("layerNorm's gradient: ", () -> gradients.layerNorm(floats(3, 5), x, x, floats(4), 0));
        refused("layerNorm's gradient: ", () -> gradients.layerNorm(x, floats(4, 3), x, floats(4), 0));
        refused("layerNorm's gradient: ", () -> gradients.layerNorm(x, x, x, floats(2), 0));
        refused("layerNorm's gradient: F32[4] is closed", () -> gradients.layerNorm(x, x, x, closed(4), 0));
        refused("rmsNorm's gradient: ", () -> gradients.rmsNorm(x, x, x, floats(3), 0));
        refused("rmsNorm's gradient: ", () -> gradients.rmsNorm(x, x, floats(12), floats(4), 0));
    }

    @Test
    void elements() {
        Tensor x = floats(3);
        Projections parts = new Projections(floats(3, 8), floats(3, 4), floats(3, 4));
        refused("splitHeads' gradient: F32[3, 15] and F32[3, 16]",
                () -> gradients.splitHeads(floats(3, 15), parts, floats(3, 16), HeadTransform.none(4)));
        refused("splitHeads' gradient: q", () -> gradients.splitHeads(
                floats(3, 15), parts, floats(3, 15), HeadTransform.none(4)));
        refused("splitHeads' gradient: k F32[4, 4] of F32[3, 16]", () -> gradients.splitHeads(
                floats(3, 16), new Projections(floats(3, 8), floats(4, 4), floats(4, 4)), floats(3, 16), HeadTransform.none(4)));
        refused("activate's gradient: F32[3] and F32[4]",
                () -> gradients.activate(x, floats(4), Activation.SILU));
        refused("gate's gradient: F32[2, 3] of gate and up F32[2, 5]",
                () -> gradients.gate(floats(2, 6), floats(2, 3), floats(2, 5), Activation.SILU));
        refused("gate's gradient: F32[2, 5] and F32[2, 6]",
                () -> gradients.gate(floats(2, 5), floats(2, 3), floats(2, 6), Activation.SILU));
        refused("softCap's gradient: cap 0.0", () -> gradients.softCap(x, x, 0));
        refused("softCap's gradient: F32[3] and F32[2]", () -> gradients.softCap(x, floats(2), 1));
        refused("route's gradient: shares F32[3]", () -> gradients.route(x, x));
        Tensor y = floats(2, 3);
        Tensor shares = floats(2, 4);
        refused("addShare's gradient: F32[2, 3] with column 4 of F32[2, 4]",
                () -> gradients.addShare(y, shares, y, y, shares, 4));
        refused("addShare's gradient: F32[2, 4] and F32[2, 3]",
                () -> gradients.addShare(y, shares, y, y, floats(2, 3), 0));
        refused("scaleHeads' gradient: ", () -> gradients.scaleHeads(floats(1, 2), y, y, RowRanges.all(2)));
        refused("scaleHeads' gradient: F32[2, 3] and F32[3, 2]",
                () -> gradients.scaleHeads(floats(1, 3), y, floats(3, 2), RowRanges.all(2)));
        refused("adamW: step 0",
                () -> gradients.adamW(x, x, x, x, new Gradients.AdamW(0.1f, 0.9f, 0.999f, 1e-8f, 0), 0));
        refused("adamW: F32[3] and F32[4]", () -> gradients.adamW(
                x, x, floats(4), x, new Gradients.AdamW(0.1f, 0.9f, 0.999f, 1e-8f, 0), 1));
    }

    @Test
    void words() {
        refused("embed's gradient: ", () -> gradients.embed(floats(5, 4), floats(2, 4), new int[] {0, 5}));
        refused("embed's gradient: ", () -> gradients.embed(floats(5, 4), floats(2, 4), new int[] {3, 3}));
        refused("embed's gradient: ", () -> gradients.embed(floats(5, 4), floats(2, 3), new int[] {0, 1}));
        refused("crossEntropy: ",
                () -> gradients.crossEntropy(floats(2, 4), new int[] {0, 4}, new float[] {1, 1}));
        refused("crossEntropy: ", () -> gradients.crossEntropy(floats(2, 4), new int[] {0}, new float[] {1}));
        refused("crossEntropy: ", () -> gradients.crossEntropy(floats(2, 4), new int[2], new float[] {1}));
    }

    private void attention(Tensor q, Tensor k, Tensor v, Tensor logSumExp, Tensor kGradient) {
        gradients.attention(
                floats(3, 32), kGradient, floats(5, 16), floats(3, 32), floats(3, 32), logSumExp, q, k, v,
                Packing.of(3, 5), AttentionSpec.plain(4, 2, 8, true), List.of(Optional.empty()));
    }

    @Test
    void attention() {
        Tensor q = floats(3, 32);
        Tensor k = floats(5, 16);
        Tensor logSumExp = floats(4, 3);
        refused("attention's gradient: q", () -> attention(floats(3, 16), k, k, logSumExp, floats(5, 16)));
        refused("attention's gradient: q", () -> attention(q, floats(2, 16), k, logSumExp, floats(5, 16)));
        refused("attention's gradient: q", () -> attention(q, k, floats(4, 16), logSumExp, floats(5, 16)));
        refused("attention's gradient: q", () -> attention(q, k, k, floats(3, 5), floats(5, 16)));
        refused("attention's gradient: q", () -> attention(q, k, k, logSumExp, floats(5, 32)));
        refused("attention's gradient: F32[5, 16] is closed",
                () -> attention(q, k, k, logSumExp, closed(5, 16)));
        refused("attention's gradient: F32[5, 16] is closed",
                () -> attention(q, k, closed(5, 16), logSumExp, floats(5, 16)));
    }

    private void saliency(int heads, int tokens, Request request) {
        Tensor x = floats(3, 8);
        try (AttentionSaliency saliency = new AttentionSaliency(backend, heads, tokens, request)) {
            gradients.attention(
                    floats(3, 8), floats(3, 8), floats(3, 8), x, x, floats(2, 3), x, x, x,
                    Packing.of(3, 3), AttentionSpec.plain(2, 2, 4, true), List.of(Optional.of(saliency)));
        }
    }

    @Test
    void saliency() {
        int[] groups = {0, 1, -1};
        refused("attention's gradient: saliency of 1 heads", () -> saliency(1, 3, Request.vectors(3)));
        refused("attention's gradient: saliency of 2 heads and 4 tokens", () -> saliency(2, 4, Request.vectors(4)));
        refused("attention's gradient: saliency", () -> saliency(2, 3, Request.vectors(4)));
        refused("attention's gradient: saliency", () -> saliency(2, 3, new Request(groups, 0, 4, List.of())));
        refused("attention's gradient: saliency", () -> saliency(2, 3, new Request(groups, 0, 3, List.of(2))));
        refused("attention's gradient: saliency", () -> saliency(2, 3, new Request(groups, 0, 3, List.of(-1))));
        refused("attention's gradient: saliency", () -> saliency(2, 3, new Request(groups, -1, 0, List.of())));
        refused("attention's gradient: saliency", () -> saliency(2, 3, new Request(groups, 4, 0, List.of())));
        saliency(2, 3, new Request(groups, 3, 3, List.of(0, 1)));
    }
}
