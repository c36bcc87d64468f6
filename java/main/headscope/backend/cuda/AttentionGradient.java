package headscope.backend.cuda;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Launches the kernels of attention's backward pass: query gradients, key gradients, then maps and pooled maps. Saliency is
 * that of a text alone.
 */
record AttentionGradient(
        Kernels kernels, Tensor gradient, Tensor logSumExp, Tensor q, Tensor k, Tensor v, PackedTexts texts,
        AttentionSpec spec) {
    void withoutSaliency(Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out) {
        try (Kernels.Scratch signed = kernels.scratch(logSumExp.count() * Float.BYTES)) {
            queries(qGradient, signed.memory(), Collections.nCopies(3, Optional.empty()), out, Optional.empty(), 0, 0);
            keys(kGradient, vGradient, Optional.empty(), signed.memory());
        }
    }

    void withSaliency(Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out, AttentionSaliency saliency) {
        try (Kernels.Scratch groups = kernels.uploaded(MemorySegment.ofArray(saliency.request.groups()))) {
            queries(qGradient, saliency.signed, List.of(saliency.rows, saliency.maximum, saliency.groups), out,
                    groups.memory(), saliency.request.groupCount(), saliency.request.firstSource());
        }
        keys(kGradient, vGradient, saliency.columns, saliency.signed);
        if (!saliency.request.maps().isEmpty()) {
            maps(saliency);
        }
        if (saliency.request.cells() > 0) {
            pool(saliency);
        }
    }

    private void queries(
            Tensor qGradient, Object signed, List<?> rowSaliency, Tensor out, Object groupOf, int groupCount,
            int firstSource) {
        List<Object> arguments = new ArrayList<>(List.of(qGradient, signed));
        arguments.addAll(rowSaliency);
        arguments.addAll(List.of(gradient, out, logSumExp, q, k, v, groupOf));
        kernels.perTile("attention_query_gradient", TextTiles.Part.QUERY_TILE, k.dtype(), texts, spec.heads(), spec,
                arguments, groupCount, firstSource);
    }

    private void keys(Tensor kGradient, Tensor vGradient, Object columns, Object signed) {
        List<Object> arguments = new ArrayList<>(
                List.of(kGradient, vGradient, columns, gradient, logSumExp, signed, q, k, v));
        kernels.perTile(
                "attention_key_gradient", TextTiles.Part.KEY_TILE, k.dtype(), texts, spec.kvHeads(), spec, arguments);
    }

    private void maps(AttentionSaliency saliency) {
        int[] heads = saliency.request.maps().stream().mapToInt(Integer::intValue).toArray();
        try (Kernels.Scratch chosen = kernels.uploaded(MemorySegment.ofArray(heads))) {
            List<Object> arguments = new ArrayList<>(
                    List.of(saliency.maps, gradient, logSumExp, q, k, v, chosen.memory()));
            kernels.perTile("attention_saliency_map", TextTiles.Part.QUERY_TILE, k.dtype(), texts, heads.length, spec,
                    arguments);
        }
    }

    private void pool(AttentionSaliency saliency) {
        int cells = saliency.request.cells();
        long bytes = logSumExp.count() * cells * Float.BYTES;
        try (Kernels.Scratch largest = kernels.scratch(bytes); Kernels.Scratch sums = kernels.scratch(bytes)) {
            List<Object> arguments = new ArrayList<>(
                    List.of(largest.memory(), sums.memory(), gradient, logSumExp, q, k, v));
            kernels.perTile("attention_saliency_cells", TextTiles.Part.QUERY_TILE, k.dtype(), texts, spec.heads(), spec,
                    arguments, cells, saliency.request.firstSource());
            kernels.poolRows(saliency.pooledMaximum, saliency.pooledMean, largest, sums, saliency.tokens);
        }
    }
}
