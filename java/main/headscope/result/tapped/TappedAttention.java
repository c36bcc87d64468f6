package headscope.result.tapped;

import headscope.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Queries and keys of one layer for successive tokens, after norm and position encoding, and how the layer attends.
 *
 * @param scale   factor of q k'
 * @param window  maximum number of keys per query, itself included; 0 for no limit
 * @param softCap 0 for none
 * @param sinks   [heads], or empty
 * @param dtype   of query and key: F32, F16 or BF16
 * @param query   [count, heads, headDim], read-only
 * @param key     [count, kvHeads, headDim], read-only
 * @param nanos   when the tap handed this over, in nanoseconds since 1970
 * @param onGpu   whether query and key are in memory of the GPU that computes the statistics, until the next message
 */
public record TappedAttention(
        int text, int layer, int first, int count, int end, int heads, int kvHeads, int headDim, float scale,
        boolean causal, int window, float softCap, float[] sinks, DType dtype, MemorySegment query, MemorySegment key,
        long nanos, boolean onGpu) implements Tapped {
    public TappedAttention {
        query = query.asReadOnly();
        key = key.asReadOnly();
    }

    /** Queries and keys in the host's memory. */
    public TappedAttention(
            int text, int layer, int first, int count, int end, int heads, int kvHeads, int headDim, float scale,
            boolean causal, int window, float softCap, float[] sinks, DType dtype, MemorySegment query, MemorySegment key,
            long nanos) {
        this(text, layer, first, count, end, heads, kvHeads, headDim, scale, causal, window, softCap, sinks, dtype, query, key,
                nanos, false);
    }

    /** Whether the layer attends like the other one, so that both can belong to one text. */
    public boolean attendsLike(TappedAttention other) {
        return heads == other.heads && kvHeads == other.kvHeads && headDim == other.headDim && scale == other.scale
                && causal == other.causal && window == other.window && softCap == other.softCap
                && Arrays.equals(sinks, other.sinks);
    }
}
