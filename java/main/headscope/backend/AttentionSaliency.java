package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * What attention's backward pass leaves behind of the saliency maps |a_ij dL/da_ij| of one layer, where row i receives
 * and column j is the source (Wang et al. 2023, equation 1, without the sum over heads). All fp32, sums accumulated in
 * fp32 or better; per token and head, so that the host folds O(T) numbers.
 */
public final class AttentionSaliency implements AutoCloseable {
    /**
     * What is kept besides the vectors.
     *
     * @param groups a group of each token from 0 on, or -1
     * @param cells  side of the pooled maps, at most the tokens; 0 = none
     * @param maps   heads whose whole map is kept, ascending
     */
    public record Request(int[] groups, int cells, List<Integer> maps) {
        public Request {
            groups = groups.clone();
            maps = List.copyOf(maps);
        }

        /** The vectors alone. */
        public static Request vectors(int tokens) {
            int[] none = new int[tokens];
            Arrays.fill(none, -1);
            return new Request(none, 0, List.of());
        }

        @Override
        public int[] groups() {
            return groups.clone();
        }

        /** How many groups there are. */
        public int groupCount() {
            return Arrays.stream(groups).max().orElse(-1) + 1;
        }
    }

    public final Request request;
    public final int heads;
    public final int tokens;

    /** sum_j a_ij dL/da_ij of row i, = g_i . o_i. [heads, tokens]. */
    public final Tensor signed;

    /** sum_j |a_ij dL/da_ij|. [heads, tokens]. */
    public final Tensor rows;

    /** sum_i |a_ij dL/da_ij|. [heads, tokens]. */
    public final Tensor columns;

    /** max_j |a_ij dL/da_ij|. [heads, tokens]. */
    public final Tensor maximum;

    /** The first column that has row i's maximum. [heads, tokens], whole numbers. */
    public final Tensor maximumColumn;

    /** {@link #rows} over the columns of one group only. [heads, tokens, groups]. */
    public final Tensor groups;

    /** The largest of the cells' elements: token i lies in cell i * cells / tokens. [heads, cells, cells]. */
    public final Tensor pooledMaximum;

    /** Their mean. [heads, cells, cells]. */
    public final Tensor pooledMean;

    /** Of the heads in {@link Request#maps}. [maps, tokens, tokens]. */
    public final Tensor maps;

    public AttentionSaliency(Backend backend, int heads, int tokens, Request request) {
        this.request = request;
        this.heads = heads;
        this.tokens = tokens;
        this.signed = backend.allocate(DType.F32, heads, tokens);
        this.rows = backend.allocate(DType.F32, heads, tokens);
        this.columns = backend.allocate(DType.F32, heads, tokens);
        this.maximum = backend.allocate(DType.F32, heads, tokens);
        this.maximumColumn = backend.allocate(DType.F32, heads, tokens);
        this.groups = backend.allocate(DType.F32, heads, tokens, request.groupCount());
        this.pooledMaximum = backend.allocate(DType.F32, heads, request.cells(), request.cells());
        this.pooledMean = backend.allocate(DType.F32, heads, request.cells(), request.cells());
        this.maps = backend.allocate(DType.F32, request.maps().size(), tokens, tokens);
    }

    /** All of the tensors above. */
    List<Tensor> tensors() {
        return List.of(signed, rows, columns, maximum, maximumColumn, groups, pooledMaximum, pooledMean, maps);
    }

    @Override
    public void close() {
        tensors().forEach(tensor -> tensor.buffer().close());
    }
}
