package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Pools the attention maps of one layer to cells, first columns, then rows. Processes as many key heads at once, together
 * with their query heads, as memory allows.
 *
 * @param logSumExp fp32 [heads, tokens]
 * @param q         fp32, as k
 */
record AttentionCells(Kernels kernels, MemorySegment logSumExp, Tensor q, Tensor k, AttentionSpec spec) {
    void into(Tensor pooledMaximum, Tensor pooledMean) {
        int group = spec.heads() / spec.kvHeads();
        SplitOnOutOfMemory.run(spec.kvHeads(), (first, count) -> ofHeads(
                pooledMaximum.rows((long) first * group, (long) count * group),
                pooledMean.rows((long) first * group, (long) count * group), first));
    }

    /** Pools the query heads that start at the first one of kvHead; the destinations give their number. */
    private void ofHeads(Tensor pooledMaximum, Tensor pooledMean, int kvHead) {
        int tokens = q.intSize(0);
        int heads = pooledMean.intSize(0);
        long head = (long) kvHead * spec.heads() / spec.kvHeads();
        long bytes = (long) heads * tokens * pooledMean.size(1) * Float.BYTES;
        try (Kernels.Scratch largest = kernels.scratch(bytes); Kernels.Scratch sums = kernels.scratch(bytes)) {
            List<Object> arguments = new ArrayList<>(List.of(
                    largest.memory(), sums.memory(), at(logSumExp, head * tokens),
                    at(q.bytes(), head * spec.headDim()), at(k.bytes(), (long) kvHead * spec.headDim())));
            arguments.addAll(Kernels.spec(q, k, spec));
            arguments.add(pooledMean.intSize(1));
            kernels.perTile("attention_cells", "query_tile", DType.F32, q, heads, spec, arguments);
            kernels.poolRows(pooledMaximum, pooledMean, largest, sums, tokens);
        }
    }

    /** The kernel counts heads from the start of its operands. */
    private static MemorySegment at(MemorySegment floats, long index) {
        return floats.asSlice(index * Float.BYTES);
    }
}
