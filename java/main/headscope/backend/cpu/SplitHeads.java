package headscope.backend.cpu;

import headscope.backend.HeadTransform;
import headscope.backend.Packing;
import headscope.backend.Projections;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Splits rows of joined projections into queries, keys and values, and joins their gradients. */
record SplitHeads(ParallelLoop loop, HeadTransform transform) {
    /** See {@link headscope.backend.Backend#splitHeads}. */
    void run(Projections to, Tensor joined, Packing packing) {
        Optional<int[]> places = packing.pages().map(pages -> pages.newRows(packing));
        long width = to.q().size(1);
        long keyWidth = to.k().size(1);
        loop.rows(joined.bytes(), joined.intSize(1), (first, end) -> {
            int row = (int) (first / joined.size(1));
            long place = places.map(rows -> rows[row]).orElse(row);
            part(to.q(), row, joined, first, transform.norm().map(HeadTransform.Norm::query));
            part(to.k(), place, joined, first + width, transform.norm().map(HeadTransform.Norm::key));
            copy(joined.bytes(), first + width + keyWidth, to.v().bytes(), place * keyWidth, keyWidth);
            rotate(to.q().bytes(), row * width, width, row, 1);
            rotate(to.k().bytes(), place * keyWidth, keyWidth, row, 1);
        });
    }

    private void part(Tensor to, long row, Tensor joined, long first, Optional<Tensor> norm) {
        long width = to.size(1);
        if (norm.isEmpty()) {
            copy(joined.bytes(), first, to.bytes(), row * width, width);
            return;
        }
        int group = norm.get().intSize(0);
        for (long at = 0; at < width; at += group) {
            RowOperations.rmsNorm(
                    to.bytes(), row * width + at, joined.bytes(), first + at, norm.get().bytes(), group, epsilon());
        }
    }

    /** See {@link headscope.backend.Gradients#splitHeads}. */
    void gradient(Tensor joinedGradient, Projections gradients, Tensor joined) {
        MemorySegment to = joinedGradient.bytes();
        long width = gradients.q().size(1);
        long keyWidth = gradients.k().size(1);
        loop.rows(to, joined.intSize(1), (first, end) -> {
            long row = first / joined.size(1);
            copy(gradients.q().bytes(), row * width, to, first, width);
            copy(gradients.k().bytes(), row * keyWidth, to, first + width, keyWidth);
            copy(gradients.v().bytes(), row * keyWidth, to, first + width + keyWidth, keyWidth);
            rotate(to, first, width + keyWidth, row, -1);
            transform.norm().ifPresent(norm -> {
                normGradient(to, first, width, joined.bytes(), norm.query());
                normGradient(to, first + width, keyWidth, joined.bytes(), norm.key());
            });
        });
    }

    /** In place. */
    private void normGradient(MemorySegment gradient, long first, long width, MemorySegment x, Tensor weight) {
        int group = weight.intSize(0);
        for (long at = first; at < first + width; at += group) {
            RowGradients.rmsNorm(gradient, gradient, x, at, weight.bytes(), group, epsilon());
        }
    }

    private float epsilon() {
        return transform.norm().orElseThrow().epsilon();
    }

    /** Rotates the heads of a row in place. */
    private void rotate(MemorySegment x, long first, long width, long row, float direction) {
        transform.rotation().ifPresent(rotation -> RowOperations.rotate(
                x, first, first + width, transform.headDim(), rotation.cosine().bytes(), rotation.sine().bytes(),
                row * rotation.cosine().size(1), rotation.cosine().intSize(1), direction));
    }

    private static void copy(MemorySegment from, long first, MemorySegment to, long at, long count) {
        MemorySegment.copy(from, first * Float.BYTES, to, at * Float.BYTES, count * Float.BYTES);
    }
}
