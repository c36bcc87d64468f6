package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Reductions of one layer's saliency maps |a_ij dL/da_ij|, computed by {@link Gradients#attention}: row i is the target
 * token, column j the source token (Wang et al. 2023, equation 1, per head). O(tokens) values per head, except for the
 * maps of requested heads. fp32, accumulated in fp32 or better.
 */
public final class AttentionSaliency implements AutoCloseable {
    /**
     * Selects the included source tokens and the optional outputs.
     *
     * <p>Source tokens before {@code firstSource} count as 0 in {@link #rows}, {@link #maximum} and the pooled maps. The
     * other outputs always cover all sources: {@link #columns}, {@link #groups} and {@link #maps} keep sources apart,
     * so that a caller can exclude some, and {@link #signed} is a product of whole rows.
     *
     * @param groups      group of each token, counted from 0, or -1 for none
     * @param firstSource the first included source token, 0 to tokens; 0 = all, 1 = all but the first token
     * @param cells       side of the pooled maps, at most the number of tokens; 0 for none
     * @param maps        heads whose whole map is stored, ascending
     */
    public record Request(int[] groups, int firstSource, int cells, List<Integer> maps) {
        public Request {
            groups = groups.clone();
            maps = List.copyOf(maps);
        }

        /** No groups, no pooled maps, no whole maps; all source tokens are included. */
        public static Request vectors(int tokens) {
            int[] none = new int[tokens];
            Arrays.fill(none, -1);
            return new Request(none, 0, 0, List.of());
        }

        @Override
        public int[] groups() {
            return groups.clone();
        }

        /** Number of groups. */
        public int groupCount() {
            return Arrays.stream(groups).max().orElse(-1) + 1;
        }
    }

    public final Request request;
    public final int heads;
    public final int tokens;

    /** sum_j a_ij dL/da_ij = g_i . o_i, with output o_i and its gradient g_i. [heads, tokens]. */
    public final Tensor signed;

    /** sum_j |a_ij dL/da_ij| over the included source tokens. [heads, tokens]. */
    public final Tensor rows;

    /** sum_i |a_ij dL/da_ij|. [heads, tokens]. */
    public final Tensor columns;

    /** max_j |a_ij dL/da_ij| over the included source tokens. [heads, tokens]. */
    public final Tensor maximum;

    /** sum_j |a_ij dL/da_ij| over the columns of each group. [heads, tokens, groups]. */
    public final Tensor groups;

    /** The maximum over each cell; token i lies in cell i * cells / tokens. [heads, cells, cells]. */
    public final Tensor pooledMaximum;

    /** The mean over each cell. [heads, cells, cells]. */
    public final Tensor pooledMean;

    /** Whole maps of the heads in {@link Request#maps}. [maps, tokens, tokens]. */
    public final Tensor maps;

    private final TensorScope owned;

    public AttentionSaliency(Backend backend, int heads, int tokens, Request request) {
        this.request = request;
        this.heads = heads;
        this.tokens = tokens;
        this.owned = new TensorScope(backend);
        try {
            this.signed = owned.allocate(DType.F32, heads, tokens);
            this.rows = owned.allocate(DType.F32, heads, tokens);
            this.columns = owned.allocate(DType.F32, heads, tokens);
            this.maximum = owned.allocate(DType.F32, heads, tokens);
            this.groups = owned.allocate(DType.F32, heads, tokens, request.groupCount());
            this.pooledMaximum = owned.allocate(DType.F32, heads, request.cells(), request.cells());
            this.pooledMean = owned.allocate(DType.F32, heads, request.cells(), request.cells());
            this.maps = owned.allocate(DType.F32, request.maps().size(), tokens, tokens);
        } catch (Throwable failure) {
            owned.close();
            throw failure;
        }
    }

    /** All of the tensors above. */
    List<Tensor> tensors() {
        return List.of(signed, rows, columns, maximum, groups, pooledMaximum, pooledMean, maps);
    }

    @Override
    public void close() {
        owned.close();
    }
}
