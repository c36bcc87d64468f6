package headscope.backend.cuda;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionAtlas;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Packing;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Adds the rows of one call of attention to an atlas.
 *
 * @param before  number of tokens so far
 * @param queries number of new tokens
 */
record AtlasCells(Kernels kernels, AttentionAtlas atlas, int before, int queries) {
    /** Tokens per cell after this call. */
    int bin() {
        return atlas.spec.bin(before + queries);
    }

    int side() {
        return atlas.spec.side();
    }

    Tensor cells() {
        return atlas.cells;
    }

    /** The parameter of kernels: 0 for the maximum, 1 for the mean. */
    static int mean(AttentionAtlas atlas) {
        return atlas.spec.pooling() == AtlasSpec.Pooling.MEAN ? 1 : 0;
    }

    int mean() {
        return mean(atlas);
    }

    /** Merges neighbouring cells if the new tokens do not fit. */
    void merge() {
        int factor = bin() / atlas.spec.bin(before);
        if (before > 0 && factor > 1) {
            kernels.perBlock("attention_cells", "attention_cells_merge_f32", atlas.cells.size(0),
                    atlas.cells, side(), atlas.spec.rows(before), factor, mean());
        }
    }

    /**
     * Adds several rows at once. Processes as many key heads at once, together with their query heads, as memory allows.
     *
     * @param q of k's type
     */
    void add(Tensor q, Tensor k, AttentionSpec spec, AttentionStatistics statistics) {
        SplitOnOutOfMemory.run(spec.kvHeads(), (first, count) -> add(q, k, spec, statistics, first, count));
    }

    /** Adds the rows of the query heads of some key heads. */
    private void add(Tensor q, Tensor k, AttentionSpec spec, AttentionStatistics statistics, int kvHead, int count) {
        int group = spec.heads() / spec.kvHeads();
        int head = kvHead * group;
        int heads = count * group;
        try (Kernels.Scratch pooled = kernels.scratch((long) heads * queries * side() * Float.BYTES)) {
            List<Object> arguments = new ArrayList<>(List.of(
                    pooled.memory(), statistics.logSumExp.rows(head, heads),
                    at(q, (long) head * spec.headDim()), at(k, (long) kvHead * spec.headDim())));
            PackedTexts text = PackedTexts.ofRows(Packing.of(queries, k.intSize(0)), spec);
            kernels.perTile("attention_cells", TextTiles.Part.QUERY_TILE, k.dtype(), text, heads, spec, arguments,
                    statistics.capacity(), side(), bin(), mean());
            int rows = (before + queries - 1) / bin() - before / bin() + 1;
            long cells = (long) heads * rows * side();
            kernels.perElement("attention_cells", "attention_cells_pool_f32", cells,
                    atlas.cells.rows(head, heads), pooled.memory(), cells, queries, before, rows, side(), bin(), mean());
        }
    }

    /** The kernel counts heads from the start of its operands. */
    private static MemorySegment at(Tensor x, long index) {
        return x.bytes().asSlice(index * x.dtype().bytes);
    }
}
