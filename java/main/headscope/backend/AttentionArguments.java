package headscope.backend;

import static headscope.backend.TensorArguments.check;
import static headscope.backend.TensorArguments.floats;
import static headscope.backend.TensorArguments.operand;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** Checks of the arguments of attention, for {@link CheckedBackend} and {@link CheckedGradients}. */
final class AttentionArguments {
    private AttentionArguments() {}

    /** Requires that a packing describes q and k, which may be a pool of pages, and that out and v have their shapes. */
    static void require(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec, DType operands) {
        if (packing.pages().isPresent() || packing.decoding().isPresent()) {
            requireOneText("attention", q, k, spec, operands);
            check(q.size(0) == packing.queries() && spec.causal(), "attention", "q %s for %s, %s", q, packing, spec);
            requirePages("attention", k, packing);
        } else {
            requirePacked("attention", q, k, packing, spec, operands);
        }
        operand("attention", v, operands);
        operand("attention", out, k.dtype());
        check(out.hasShape(q.shape()) && v.hasShape(k.shape()) && v.dtype() == k.dtype(), "attention",
                "out %s for q %s, v %s for k %s", out, q, v, k);
    }

    /** Requires that a pool has the pages of a packing. */
    static void requirePages(String operation, Tensor pool, Packing packing) {
        packing.pages().ifPresent(table -> check(table.last() < pool.size(0) / PageTable.TOKENS,
                operation, "page %d of a pool %s", table.last(), pool));
    }

    /** Requires that the widths of q, k and joined agree, and those of the norms, and the angles with the rows. */
    static void requireHeads(String operation, Projections parts, Tensor joined, HeadTransform transform) {
        floats(operation, joined);
        int headDim = transform.headDim();
        check(joined.rank() == 2 && parts.q().rank() == 2 && parts.k().rank() == 2 && parts.q().size(0) == joined.size(0)
                        && headDim >= 1 && parts.q().size(1) >= 1 && parts.k().size(1) >= 1
                        && parts.q().size(1) % headDim == 0 && parts.k().size(1) % headDim == 0
                        && joined.size(1) == parts.q().size(1) + 2 * parts.k().size(1),
                operation, "q %s, k %s and v %s of %s, head width %d", parts.q(), parts.k(), parts.v(), joined, headDim);
        transform.norm().ifPresent(norm -> {
            floats(operation, norm.query(), norm.key());
            check(norm.query().hasShape(headDim) && norm.key().hasShape(headDim)
                            || norm.query().hasShape(parts.q().size(1)) && norm.key().hasShape(parts.k().size(1)),
                    operation, "norms by %s and %s of q %s and k %s", norm.query(), norm.key(), parts.q(), parts.k());
        });
        transform.rotation().ifPresent(rotation -> {
            floats(operation, rotation.cosine(), rotation.sine());
            check(rotation.cosine().rank() == 2 && rotation.cosine().hasShape(rotation.sine().shape())
                            && rotation.cosine().size(0) == joined.size(0) && 2 * rotation.cosine().size(1) <= headDim,
                    operation, "angles %s and %s of %s, head width %d", rotation.cosine(), rotation.sine(), joined, headDim);
        });
    }

    /** Requires that a packing describes q and k, without pages. */
    static void requirePacked(
            String operation, Tensor q, Tensor k, Packing packing, AttentionSpec spec, DType operands) {
        requireOneText(operation, q, k, spec, operands);
        check(q.size(0) == packing.queries() && k.size(0) == packing.keys() && (spec.causal() || packing.isWhole())
                        && packing.pages().isEmpty(),
                operation, "q %s and k %s for %s, %s", q, k, packing, spec);
    }

    /** Requires that q and k have the heads of a text, or of several. */
    static void requireOneText(String operation, Tensor q, Tensor k, AttentionSpec spec, DType operands) {
        for (Tensor tensor : new Tensor[] {q, k}) {
            operand(operation, tensor, operands);
        }
        spec.sinks().ifPresent(sinks -> {
            floats(operation, sinks);
            check(sinks.hasShape(spec.heads()), operation, "sinks %s for %d heads", sinks, spec.heads());
        });
        check(q.hasShape(q.size(0), (long) spec.heads() * spec.headDim())
                        && k.hasShape(k.size(0), (long) spec.kvHeads() * spec.headDim())
                        && q.size(0) >= 1 && (spec.causal() ? k.size(0) >= q.size(0) : k.size(0) == q.size(0)),
                operation, "q %s and k %s for %s", q, k, spec);
    }

    static void requireCapacity(
            String operation, Packing packing, AttentionSpec spec, AttentionStatistics statistics) {
        requireOpen(operation, statistics);
        check(statistics.heads() == spec.heads(), operation,
                "statistics of %d heads for %s", statistics.heads(), spec);
        if (packing.decoding().isPresent()) {
            return; // the device counts their tokens
        }
        for (Packing.Text text : packing.texts()) {
            check(text.slot() < statistics.texts(), operation,
                    "statistics of %d texts for slot %d", statistics.texts(), text.slot());
            AttentionStatistics rows = statistics.text(text.slot());
            check(rows.tokens() == text.keys() - text.queries() && text.keys() <= rows.capacity(), operation,
                    "statistics hold %d of at most %d tokens, for %s", rows.tokens(), rows.capacity(), text);
        }
    }

    static void requireOpen(String operation, AttentionStatistics statistics) {
        check(statistics.row.buffer().isOpen(), operation, "the statistics are closed");
    }
}
