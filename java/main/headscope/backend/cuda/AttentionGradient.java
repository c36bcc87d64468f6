package headscope.backend.cuda;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The kernels of one backward pass through attention: queries, then keys, then what is pooled of the maps. */
record AttentionGradient(
        Kernels kernels, Tensor gradient, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionSpec spec) {
    void unobserved(Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out) {
        try (Kernels.Scratch signed = kernels.scratch(logSumExp.count() * Float.BYTES)) {
            queries(qGradient, signed.memory(), Collections.nCopies(4, Optional.empty()), out, Optional.empty(), 0, 0);
            keys(kGradient, vGradient, Optional.empty(), signed.memory());
        }
    }

    void observed(Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor out, AttentionSaliency seen) {
        try (Kernels.Scratch groups = kernels.uploaded(MemorySegment.ofArray(seen.request.groups()))) {
            queries(qGradient, seen.signed, List.of(seen.rows, seen.maximum, seen.maximumColumn, seen.groups), out,
                    groups.memory(), seen.request.groupCount(), seen.request.firstSource());
        }
        keys(kGradient, vGradient, seen.columns, seen.signed);
        if (!seen.request.maps().isEmpty()) {
            maps(seen);
        }
        if (seen.request.cells() > 0) {
            pool(seen);
        }
    }

    private void queries(
            Tensor qGradient, Object signed, List<?> saliency, Tensor out, Object groupOf, int groupCount,
            int firstSource) {
        List<Object> arguments = new ArrayList<>(List.of(qGradient, signed));
        arguments.addAll(saliency);
        arguments.addAll(List.of(gradient, out, logSumExp, q, k, v, groupOf));
        arguments.addAll(Kernels.spec(q, k, spec));
        arguments.addAll(List.of(groupCount, firstSource));
        kernels.perTile("attention_query_gradient", "query_tile", k.dtype(), q, spec.heads(), spec, arguments);
    }

    private void keys(Tensor kGradient, Tensor vGradient, Object columns, Object signed) {
        List<Object> arguments = new ArrayList<>(
                List.of(kGradient, vGradient, columns, gradient, logSumExp, signed, q, k, v));
        arguments.addAll(Kernels.spec(q, k, spec));
        kernels.perTile("attention_key_gradient", "key_tile", k.dtype(), k, spec.kvHeads(), spec, arguments);
    }

    private void maps(AttentionSaliency seen) {
        int[] heads = seen.request.maps().stream().mapToInt(Integer::intValue).toArray();
        try (Kernels.Scratch chosen = kernels.uploaded(MemorySegment.ofArray(heads))) {
            List<Object> arguments = new ArrayList<>(
                    List.of(seen.maps, gradient, logSumExp, q, k, v, chosen.memory()));
            arguments.addAll(Kernels.spec(q, k, spec));
            kernels.perTile("attention_saliency_map", "query_tile", k.dtype(), q, heads.length, spec, arguments);
        }
    }

    private void pool(AttentionSaliency seen) {
        int cells = seen.request.cells();
        long bytes = logSumExp.count() * cells * Float.BYTES;
        try (Kernels.Scratch largest = kernels.scratch(bytes); Kernels.Scratch sums = kernels.scratch(bytes)) {
            List<Object> arguments = new ArrayList<>(
                    List.of(largest.memory(), sums.memory(), gradient, logSumExp, q, k, v));
            arguments.addAll(Kernels.spec(q, k, spec));
            arguments.addAll(List.of(cells, seen.request.firstSource()));
            kernels.perTile("attention_saliency_cells", "query_tile", k.dtype(), q, spec.heads(), spec, arguments);
            kernels.poolRows(seen.pooledMaximum, seen.pooledMean, largest, sums, seen.tokens);
        }
    }
}
