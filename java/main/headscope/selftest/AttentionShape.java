package headscope.selftest;

import headscope.backend.AttentionSpec;
import headscope.tensor.Tensor;
import java.util.Optional;
import java.util.function.LongFunction;

/**
 * An {@link AttentionSpec} without tensors, which exists without a backend.
 *
 * @param name  for messages
 * @param sinks whether every query head has an attention sink
 */
public record AttentionShape(
        String name, int heads, int kvHeads, int headDim, boolean causal, int window, float softCap, float scale,
        boolean sinks) {
    /** Causal attention with scale 1 / sqrt(headDim). */
    public static AttentionShape plain(String name, int heads, int kvHeads, int headDim) {
        return new AttentionShape(name, heads, kvHeads, headDim, true, 0, 0, (float) (1 / Math.sqrt(headDim)), false);
    }

    public static AttentionShape of(String name, AttentionSpec spec) {
        return new AttentionShape(name, spec.heads(), spec.kvHeads(), spec.headDim(), spec.causal(), spec.window(),
                spec.softCap(), spec.scale(), spec.sinks().isPresent());
    }

    /** @param scores allocates the sinks' scores [heads] */
    public AttentionSpec spec(LongFunction<Tensor> scores) {
        return new AttentionSpec(heads, kvHeads, headDim, scale, causal, window, softCap,
                sinks ? Optional.of(scores.apply(heads)) : Optional.empty());
    }

    /** The query heads of one key head, which are enough for a check. */
    AttentionShape oneGroup() {
        return new AttentionShape(name, heads / kvHeads, 1, headDim, causal, window, softCap, scale, sinks);
    }
}
