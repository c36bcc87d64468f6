package headscope.backend;

import headscope.tensor.Tensor;
import java.util.Optional;

/**
 * What queries and keys go through before attention.
 *
 * @param norm     of q and k, before the rotation
 * @param rotation of every head of q and k
 */
public record HeadTransform(int headDim, Optional<Norm> norm, Optional<Rotation> rotation) {
    /**
     * Root-mean-square norms, as {@link Backend#rmsNorm}: of each head, or of all heads together.
     *
     * @param query [headDim], or of all heads [heads * headDim]
     * @param key   [headDim], or of all heads [kvHeads * headDim]
     */
    public record Norm(Tensor query, Tensor key, float epsilon) {}

    /**
     * Rotary position embedding: elements j and j + r of a head with j &lt; r are rotated by an angle of row and j;
     * elements from 2 r on are unchanged. (Su et al. 2021, arXiv:2104.09864, in the half-split order of GPT-NeoX.)
     *
     * @param cosine [rows, r], as sine; 2 r &lt;= headDim
     */
    public record Rotation(Tensor cosine, Tensor sine) {}

    /** Neither norm nor rotation. */
    public static HeadTransform none(int headDim) {
        return new HeadTransform(headDim, Optional.empty(), Optional.empty());
    }

    /** Whether the norm is of all heads together. */
    public boolean normsAllHeads() {
        return norm.map(norms -> norms.query().size(0) != headDim || norms.key().size(0) != headDim).orElse(false);
    }
}
