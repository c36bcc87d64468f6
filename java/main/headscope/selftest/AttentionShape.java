package headscope.selftest;

import headscope.backend.AttentionSpec;
import headscope.tensor.Tensor;
import java.util.Optional;
import java.util.function.LongFunction;

/**
 * What models vary about attention, before there is a backend.
 *
 * @param window as in {@link AttentionSpec}, as scale and softCap
 * @param sinks  whether every query head has one
 */
public record AttentionShape(
        String name, int heads, int kvHeads, int headDim, boolean causal, int window, float softCap, float scale,
        boolean sinks) {
    /** With 1 / sqrt(headDim), causal. */
    public static AttentionShape plain(String name, int heads, int kvHeads, int headDim) {
        return new AttentionShape(name, heads, kvHeads, headDim, true, 0, 0, (float) (1 / Math.sqrt(headDim)), false);
    }

    public static AttentionShape of(String name, AttentionSpec spec) {
        return new AttentionShape(name, spec.heads(), spec.kvHeads(), spec.headDim(), spec.causal(), spec.window(),
                spec.softCap(), spec.scale(), spec.sinks().isPresent());
    }

    /** @param scores makes a tensor [heads] where there are sinks */
    public AttentionSpec spec(LongFunction<Tensor> scores) {
        return new AttentionSpec(heads, kvHeads, headDim, scale, causal, window, softCap,
                sinks ? Optional.of(scores.apply(heads)) : Optional.empty());
    }

    /** The query heads of one key head: as many as a check needs. */
    AttentionShape oneGroup() {
        return new AttentionShape(name, heads / kvHeads, 1, headDim, causal, window, softCap, scale, sinks);
    }
}
