package headscope.backend.cuda;

import headscope.backend.HeadTransform;
import headscope.backend.Packing;
import headscope.backend.Projections;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Launches the kernels between the joined projections and attention.
 *
 * @param heads number of heads of q
 */
record SplitHeads(Kernels kernels, HeadTransform transform, int heads, int kvHeads) {
    static SplitHeads of(Kernels kernels, HeadTransform transform, Projections parts) {
        int headDim = transform.headDim();
        return new SplitHeads(kernels, transform, parts.q().intSize(1) / headDim, parts.k().intSize(1) / headDim);
    }

    void run(Projections to, Tensor joined, Packing packing) {
        if (packing.pages().isPresent()) {
            int[] places = packing.pages().get().newRows(packing);
            try (Kernels.Scratch rows = kernels.uploaded(MemorySegment.ofArray(places))) {
                run(to, joined, rows.memory());
            }
        } else {
            run(to, joined, packing.decoding().isPresent() ? CudaDecoding.of(packing).places() : Optional.empty());
        }
    }

    /** @param places rows of k and v that are written, or empty for all rows in order */
    private void run(Projections to, Tensor joined, Object places) {
        launch("split_heads", Kernels.name(to.q().dtype()), joined, kernels.tiles(joined.size(1), "split_heads_columns"),
                List.of(to.q(), to.k(), to.v(), joined), List.of(places));
    }

    void gradient(Tensor joinedGradient, Projections gradients, Tensor joined) {
        launch("split_heads_gradient", "f32", joined, kernels.tiles(heads + 2L * kvHeads, "split_heads_gradient_heads"),
                List.of(joinedGradient, gradients.q(), gradients.k(), gradients.v(), joined), List.of());
    }

    /** @param blocks per row, unless norms of all heads need one */
    private void launch(
            String family, String type, Tensor joined, long blocks, List<Object> tensors, List<Object> places) {
        long groups = transform.normsAllHeads() ? 1 : blocks;
        Optional<Tensor> cosine = transform.rotation().map(HeadTransform.Rotation::cosine);
        List<Object> arguments = new ArrayList<>(tensors);
        arguments.addAll(List.of(
                transform.norm().map(HeadTransform.Norm::query), transform.norm().map(HeadTransform.Norm::key),
                transform.norm().map(HeadTransform.Norm::epsilon).orElse(0f), transform.normsAllHeads() ? 1 : 0,
                cosine, transform.rotation().map(HeadTransform.Rotation::sine)));
        arguments.addAll(places);
        arguments.addAll(List.of(
                heads, kvHeads, transform.headDim(), cosine.map(angles -> angles.intSize(1)).orElse(0), (int) groups));
        kernels.perBlock(family, family + "_" + type, joined.size(0) * groups, arguments.toArray());
    }
}
