package headscope.backend.cuda;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Launches the kernels of attention's backward pass: query gradients, key gradients, then maps and pooled maps. For 16-bit
 * keys and values, kernels for tensor cores run, for which queries and the gradient are rounded. Saliency is computed for
 * one text at a time.
 */
record AttentionGradient(
        Kernels kernels, Tensor gradient, Tensor logSumExp, Tensor q, Tensor k, Tensor v, PackedTexts texts,
        AttentionSpec spec) {
    /** Numbers per query and head that attention_gradient_rows writes. */
    private static final int ROW_NUMBERS = 4;

    /** With more blocks of keys than this, far more than a GPU runs at once, their different lengths even out. */
    private static final int MANY_BLOCKS = 1024;

    void withoutSaliency(Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out) {
        try (Kernels.Scratch signed = kernels.scratch(logSumExp.count() * Float.BYTES)) {
            Rows rows = new Rows(
                    signed.memory(), Collections.nCopies(3, Optional.empty()), Optional.empty(), Optional.empty(), 0, 0);
            walks(qGradient, kGradient, vGradient, out, rows, read -> {});
        }
    }

    void withSaliency(Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out, AttentionSaliency saliency) {
        AttentionSaliency.Request request = saliency.request;
        try (Kernels.Scratch groups = kernels.uploaded(MemorySegment.ofArray(request.groups()))) {
            Rows rows = new Rows(
                    saliency.signed, List.of(saliency.rows, saliency.maximum, saliency.groups), saliency.columns,
                    groups.memory(), request.groupCount(), request.firstSource());
            walks(qGradient, kGradient, vGradient, out, rows, read -> {
                if (!request.maps().isEmpty()) {
                    maps(saliency, read);
                }
                if (request.cells() > 0) {
                    pool(saliency, read);
                }
            });
        }
    }

    /** What the kernels for queries and keys read and write beside the gradients; saliency is empty if not requested. */
    private record Rows(
            Object signed, List<?> ofQueries, Object columns, Object groupOf, int groupCount, int firstSource) {}

    /** @param maps launches the kernels of maps, which read the given operands */
    private void walks(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out, Rows rows, Consumer<List<Object>> maps) {
        List<Object> queries = new ArrayList<>(List.of(qGradient));
        if (k.dtype() == DType.F32) {
            queries.add(rows.signed);
            queries.addAll(rows.ofQueries);
            queries.addAll(List.of(gradient, out, logSumExp, q, k, v, rows.groupOf));
            queries(queries, rows);
            keys(kGradient, vGradient, rows.columns, List.of(gradient, logSumExp, rows.signed, q, k, v));
            maps.accept(List.of(gradient, logSumExp, q, k, v));
            return;
        }
        try (Kernels.Operand rounded = kernels.operand(q, k.dtype());
                Kernels.Scratch gradients = kernels.scratch(gradient.count() * k.dtype().bytes);
                Kernels.Scratch numbers = kernels.scratch(logSumExp.count() * ROW_NUMBERS * Float.BYTES)) {
            kernels.perTile("attention_gradient_rows", TextTiles.Part.QUERY_TILE, k.dtype(), texts, spec.heads(), spec,
                    List.of(gradients.memory(), rows.signed, numbers.memory(), gradient, out, logSumExp));
            List<Object> read = List.of(gradients.memory(), numbers.memory(), rounded.tensor(), k, v);
            queries.addAll(rows.ofQueries);
            queries.addAll(onHopper() ? mapped(gradients, numbers.memory(), rounded) : read);
            queries.add(rows.groupOf);
            queries(queries, rows);
            List<Object> ofKeys = onHopper() ? mapped(gradients, mapped(numbers), rounded) : read;
            keys(kGradient, vGradient, rows.columns, ofKeys);
            maps.accept(read);
        }
    }

    /** Whether the kernels for Hopper run, which count the numbers of rows in an int. */
    private boolean onHopper() {
        return kernels.takeTensorMaps(k.dtype(), spec) && logSumExp.count() * ROW_NUMBERS <= Integer.MAX_VALUE;
    }

    private String family(String name) {
        return onHopper() ? name + Fatbins.HOPPER : name;
    }

    /** Rows that the kernels for Hopper copy at once. */
    private int boxRows() {
        return kernels.constant(Kernels.ofWidth(family("attention_key_gradient"), k.dtype(), spec) + "_box");
    }

    /** What the kernels for Hopper read. */
    private List<Object> mapped(Kernels.Scratch gradients, Object numbers, Kernels.Operand rounded) {
        return List.of(
                TensorMap.ofHeads(gradients.as(k.dtype(), gradient.shape()), spec.heads(), boxRows()), numbers,
                TensorMap.ofHeads(rounded.tensor(), spec.heads(), boxRows()),
                TensorMap.ofHeads(k, spec.kvHeads(), boxRows()), TensorMap.ofHeads(v, spec.kvHeads(), boxRows()));
    }

    private TensorMap mapped(Kernels.Scratch numbers) {
        return TensorMap.ofElements(numbers.as(DType.F32, logSumExp.count() * ROW_NUMBERS), ROW_NUMBERS * boxRows());
    }

    private void keys(Tensor kGradient, Tensor vGradient, Object columns, List<Object> read) {
        if (spec.heads() == spec.kvHeads() || keyBlocks() > MANY_BLOCKS) {
            keys(spec.kvHeads(), joined(List.of(kGradient, vGradient, columns), read));
        } else {
            keysByHead(kGradient, vGradient, columns, read);
        }
    }

    /** One block per query head, whose gradients are summed afterwards: more blocks, the same bits. */
    private void keysByHead(Tensor kGradient, Tensor vGradient, Object columns, List<Object> read) {
        int sharing = spec.heads() / spec.kvHeads();
        long bytes = k.count() * sharing * Float.BYTES;
        try (Kernels.Scratch ofKeys = kernels.scratch(bytes); Kernels.Scratch ofValues = kernels.scratch(bytes)) {
            keys(spec.heads(), joined(List.of(ofKeys.memory(), ofValues.memory(), columns), read));
            sum(kGradient, ofKeys, sharing);
            sum(vGradient, ofValues, sharing);
        }
    }

    private void sum(Tensor destination, Kernels.Scratch parts, int sharing) {
        kernels.perElement("attention_key_gradient_sum", "attention_key_gradient_sum_f32", destination.count(),
                destination, parts.memory(), destination.count(), sharing, spec.headDim());
    }

    /** Approximate number of blocks with one per key head. */
    private long keyBlocks() {
        String tile = k.dtype() == DType.F32
                ? "attention_key_gradient_key_tile"
                : Kernels.ofWidth(family("attention_key_gradient"), k.dtype(), spec) + "_tile";
        return spec.kvHeads() * kernels.tiles(k.size(0), tile);
    }

    private static List<Object> joined(List<?> first, List<?> second) {
        List<Object> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    private void queries(List<?> operands, Rows rows) {
        kernels.perTile(family("attention_query_gradient"), TextTiles.Part.QUERY_TILE, k.dtype(), texts, spec.heads(), spec,
                operands, rows.groupCount, rows.firstSource);
    }

    private void keys(int blocks, List<?> operands) {
        kernels.perTile(family("attention_key_gradient"), TextTiles.Part.KEY_TILE, k.dtype(), texts, blocks, spec, operands);
    }

    private void maps(AttentionSaliency saliency, List<Object> read) {
        int[] heads = saliency.request.maps().stream().mapToInt(Integer::intValue).toArray();
        try (Kernels.Scratch chosen = kernels.uploaded(MemorySegment.ofArray(heads))) {
            List<Object> operands = joined(List.of(saliency.maps), read);
            operands.add(chosen.memory());
            kernels.perTile("attention_saliency_map", TextTiles.Part.QUERY_TILE, k.dtype(), texts, heads.length, spec,
                    operands);
        }
    }

    private void pool(AttentionSaliency saliency, List<Object> read) {
        int cells = saliency.request.cells();
        long bytes = logSumExp.count() * cells * Float.BYTES;
        try (Kernels.Scratch largest = kernels.scratch(bytes); Kernels.Scratch sums = kernels.scratch(bytes)) {
            kernels.perTile("attention_saliency_cells", TextTiles.Part.QUERY_TILE, k.dtype(), texts, spec.heads(), spec,
                    joined(List.of(largest.memory(), sums.memory()), read), cells, saliency.request.firstSource());
            kernels.poolRows(saliency.pooledMaximum, saliency.pooledMean, largest, sums, saliency.tokens);
        }
    }
}
