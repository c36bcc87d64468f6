package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/**
 * Attention maps pooled to P x P cells per head, of fixed size while the text grows: token i lies in cell i / bin, rounded
 * down. {@link AtlasSpec#bin} doubles when the tokens outgrow P * bin; then neighbouring cells are merged. Part of
 * {@link AttentionStatistics}, which know the number of tokens.
 */
public final class AttentionAtlas implements AutoCloseable {
    public final AtlasSpec spec;

    /**
     * Maxima, or for means the sums, of the probabilities of each cell. Rows beyond those of the text are undefined.
     * fp32 [heads, P, P].
     */
    public final Tensor cells;

    private AttentionAtlas(AtlasSpec spec, Tensor cells) {
        this.spec = spec;
        this.cells = cells;
    }

    AttentionAtlas(Backend backend, int heads, AtlasSpec spec) {
        this(spec, backend.allocate(DType.F32, heads, spec.side(), spec.side()));
    }

    /** The part of some heads, which shares its memory with this atlas and is closed with it. */
    AttentionAtlas heads(int first, int count) {
        return new AttentionAtlas(spec, cells.rows(first, count));
    }

    @Override
    public void close() {
        cells.buffer().close();
    }
}
