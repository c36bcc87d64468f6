package headscope.backend;

import static headscope.backend.CheckedBackend.check;
import static headscope.backend.CheckedBackend.floats;
import static headscope.backend.CheckedBackend.operand;

import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;

/** Checks of the arguments of attention, its statistics and its gradients. */
final class AttentionChecks {
    private AttentionChecks() {}

    /** Checks that a packing describes q and k. */
    static void packed(
            String operation, Tensor q, Tensor k, Packing packing, AttentionSpec spec, DType operands) {
        queriesAndKeys(operation, q, k, spec, operands);
        check(q.size(0) == packing.queries() && k.size(0) == packing.keys() && (spec.causal() || packing.isWhole()),
                operation, "q %s and k %s for %s, %s", q, k, packing, spec);
    }

    static void queriesAndKeys(String operation, Tensor q, Tensor k, AttentionSpec spec, DType operands) {
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

    static void capacity(
            String operation, Packing packing, AttentionSpec spec, AttentionStatistics statistics) {
        open(operation, statistics);
        check(statistics.heads() == spec.heads(), operation,
                "statistics of %d heads for %s", statistics.heads(), spec);
        for (Packing.Text text : packing.texts()) {
            check(text.slot() < statistics.texts(), operation,
                    "statistics of %d texts for slot %d", statistics.texts(), text.slot());
            AttentionStatistics rows = statistics.text(text.slot());
            check(rows.tokens() == text.keys() - text.queries() && text.keys() <= rows.capacity(), operation,
                    "statistics hold %d of at most %d tokens, for %s", rows.tokens(), rows.capacity(), text);
        }
    }

    static void measurable(
            String operation, List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec) {
        open(operation, statistics);
        for (Metric metric : metrics) {
            check(spec.causal() || !metric.causalOnly(), operation,
                    "%s is defined for causal attention only", metric.key());
            check(!(metric instanceof Metric.Symmetric), operation,
                    "%s needs the whole attention map: use symmetricSpectrum", metric.key());
        }
    }

    static void open(String operation, AttentionStatistics statistics) {
        check(statistics.row.buffer().isOpen(), operation, "the statistics are closed");
    }
}
