package headscope.backend;

import static headscope.backend.TensorArguments.check;
import static headscope.backend.TensorArguments.floats;

import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Checks the arguments of {@link Gradients}, as {@link CheckedBackend} does those of {@link Backend}. */
final class CheckedGradients implements Gradients {
    private final Gradients gradients;
    private final Backend backend;
    private final Finite finite;

    CheckedGradients(Gradients gradients, Backend backend, Finite finite) {
        this.gradients = gradients;
        this.backend = backend;
        this.finite = finite;
    }

    @Override
    public void linear(Tensor destination, Tensor gradient, Tensor weight) {
        floats("linear's gradient", destination, gradient);
        TensorArguments.operand("linear's gradient", weight, backend.weights(weight.dtype()));
        check(gradient.rank() == 2 && weight.rank() == 2 && gradient.size(1) == weight.size(0)
                        && destination.hasShape(gradient.size(0), weight.size(1)),
                "linear's gradient", "%s = %s times %s", destination, gradient, weight);
        gradients.linear(destination, gradient, weight);
        finite.require("linear's gradient", destination);
    }

    @Override
    public void linearWeight(Tensor destination, Tensor gradient, Tensor x) {
        floats("linear's weight gradient", destination, gradient, x);
        check(gradient.rank() == 2 && x.rank() == 2 && gradient.size(0) == x.size(0)
                        && destination.hasShape(gradient.size(1), x.size(1)),
                "linear's weight gradient", "%s = %s' times %s", destination, gradient, x);
        gradients.linearWeight(destination, gradient, x);
        finite.require("linear's weight gradient", destination);
    }

    @Override
    public void linearBias(Tensor destination, Tensor gradient) {
        floats("linear's bias gradient", destination, gradient);
        check(gradient.rank() == 2 && destination.hasShape(gradient.size(1)), "linear's bias gradient",
                "%s = rows of %s", destination, gradient);
        gradients.linearBias(destination, gradient);
        finite.require("linear's bias gradient", destination);
    }

    @Override
    public void layerNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        norm("layerNorm's gradient", destination, gradient, x, weight);
        check(weight.hasShape(x.size(1)), "layerNorm's gradient", "%s normalised by %s", x, weight);
        gradients.layerNorm(destination, gradient, x, weight, epsilon);
        finite.require("layerNorm's gradient", destination);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        norm("rmsNorm's gradient", destination, gradient, x, weight);
        gradients.rmsNorm(destination, gradient, x, weight, epsilon);
        finite.require("rmsNorm's gradient", destination);
    }

    private static void norm(String operation, Tensor destination, Tensor gradient, Tensor x, Tensor weight) {
        floats(operation, destination, gradient, x, weight);
        check(x.rank() == 2 && destination.hasShape(x.shape()) && gradient.hasShape(x.shape()) && weight.rank() == 1
                && x.size(1) % weight.size(0) == 0, operation, "%s from %s, of %s by %s", destination, gradient, x,
                weight);
    }

    @Override
    public void splitHeads(Tensor joinedGradient, Projections gradients, Tensor joined, HeadTransform transform) {
        String operation = "splitHeads' gradient";
        floats(operation, gradients.q(), gradients.k(), gradients.v());
        same(operation, joinedGradient, joined);
        same(operation, gradients.k(), gradients.v());
        AttentionArguments.requireHeads(operation, gradients, joined, transform);
        check(gradients.k().size(0) == joined.size(0), operation, "k %s of %s", gradients.k(), joined);
        this.gradients.splitHeads(joinedGradient, gradients, joined, transform);
        finite.require(operation, joinedGradient);
    }

    @Override
    public void activate(Tensor gradient, Tensor x, Activation f) {
        same("activate's gradient", gradient, x);
        gradients.activate(gradient, x, f);
        finite.require("activate's gradient", gradient);
    }

    @Override
    public void gate(
            Tensor gateUpGradient, Tensor gradient, Tensor gateUp, Activation f) {
        floats("gate's gradient", gradient);
        CheckedBackend.gated("gate's gradient", gradient, gateUp);
        same("gate's gradient", gateUpGradient, gateUp);
        gradients.gate(gateUpGradient, gradient, gateUp, f);
        finite.require("gate's gradient", gateUpGradient);
    }

    @Override
    public void softCap(Tensor gradient, Tensor capped, float cap) {
        same("softCap's gradient", gradient, capped);
        check(cap > 0, "softCap's gradient", "cap %s", cap);
        gradients.softCap(gradient, capped, cap);
        finite.require("softCap's gradient", gradient);
    }

    @Override
    public void route(Tensor gradient, Tensor shares) {
        same("route's gradient", gradient, shares);
        check(shares.rank() == 2, "route's gradient", "shares %s", shares);
        gradients.route(gradient, shares);
        finite.require("route's gradient", gradient);
    }

    @Override
    public void addShare(
            Tensor yGradient, Tensor shareGradient, Tensor gradient, Tensor y, Tensor shares, int column) {
        same("addShare's gradient", yGradient, gradient, y);
        same("addShare's gradient", shareGradient, shares);
        check(y.rank() == 2 && shares.rank() == 2 && shares.size(0) == y.size(0) && column >= 0
                && column < shares.size(1), "addShare's gradient", "%s with column %d of %s", y, column, shares);
        gradients.addShare(yGradient, shareGradient, gradient, y, shares, column);
        finite.require("addShare's gradient", yGradient, shareGradient);
    }

    @Override
    public void embed(Tensor destination, Tensor gradient, int[] ids) {
        floats("embed's gradient", destination, gradient);
        check(destination.rank() == 2 && gradient.hasShape(ids.length, destination.size(1))
                        && Arrays.stream(ids).distinct().count() == ids.length
                        && Arrays.stream(ids).allMatch(id -> id >= 0 && id < destination.size(0)),
                "embed's gradient", "%s into rows %s of %s", gradient, Arrays.toString(ids), destination);
        gradients.embed(destination, gradient, ids);
        finite.require("embed's gradient", destination);
    }

    @Override
    public void scaleHeads(Tensor destination, Tensor gradient, Tensor x, RowRanges ranges) {
        same("scaleHeads' gradient", gradient, x);
        CheckedBackend.headFactors("scaleHeads' gradient", x, destination, ranges);
        gradients.scaleHeads(destination, gradient, x, ranges);
        finite.require("scaleHeads' gradient", destination);
    }

    @Override
    public void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            List<Optional<AttentionSaliency>> saliency) {
        String operation = "attention's gradient";
        AttentionArguments.requirePacked(operation, q, k, packing, spec, backend.operands());
        TensorArguments.operand(operation, v, backend.operands());
        floats(operation, qGradient, kGradient, vGradient, gradient, out, logSumExp);
        check(qGradient.hasShape(q.shape()) && gradient.hasShape(q.shape()) && out.hasShape(q.shape())
                        && kGradient.hasShape(k.shape()) && vGradient.hasShape(k.shape()) && v.hasShape(k.shape())
                        && v.dtype() == k.dtype()
                        && logSumExp.count() == spec.heads() * q.size(0),
                operation, "q %s, k %s, v %s, out %s, log-sum-exp %s into %s, %s and %s from %s", q, k, v, out,
                logSumExp, qGradient, kGradient, vGradient, gradient);
        check(saliency.size() == packing.count(), operation, "%d requests for %s", saliency.size(), packing);
        for (int i = 0; i < packing.count(); i++) {
            Packing.Text text = packing.text(i);
            saliency.get(i).ifPresent(maps -> check(
                    maps.heads == spec.heads() && maps.tokens == text.keys() && text.queries() == text.keys()
                            && maps.request.groups().length == maps.tokens && maps.request.firstSource() >= 0
                            && maps.request.firstSource() <= maps.tokens && maps.request.cells() <= maps.tokens
                            && maps.request.maps().stream().allMatch(head -> head >= 0 && head < maps.heads),
                    operation, "saliency of %d heads and %d tokens for %s", maps.heads, maps.tokens, text));
        }
        gradients.attention(
                qGradient, kGradient, vGradient, gradient, out, logSumExp, q, k, v, packing, spec, saliency);
        finite.require(operation, qGradient, kGradient, vGradient);
    }

    @Override
    public float[] crossEntropy(Tensor logits, int[] targets, float[] factors) {
        floats("crossEntropy", logits);
        check(logits.rank() == 2 && targets.length == logits.size(0) && factors.length == targets.length
                        && Arrays.stream(targets).allMatch(word -> word >= 0 && word < logits.size(1)),
                "crossEntropy", "targets %s and %d factors for %s", Arrays.toString(targets), factors.length, logits);
        float[] losses = gradients.crossEntropy(logits, targets, factors);
        finite.require("crossEntropy", logits);
        return losses;
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step) {
        same("adamW", parameter, gradient, m, v);
        check(step >= 1, "adamW", "step %d", step);
        gradients.adamW(parameter, gradient, m, v, settings, step);
        finite.require("adamW", parameter);
    }

    private static void same(String operation, Tensor first, Tensor... others) {
        floats(operation, first);
        floats(operation, others);
        for (Tensor other : others) {
            check(first.hasShape(other.shape()), operation, "%s and %s", first, other);
        }
    }
}
