package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.metric.Metric;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Snapshots of one case on one backend: the whole atlas and the vectors of the last head after the last call of
 * attention, and what each earlier call has changed.
 *
 * @param changes after each call: the rows of cells that it changed
 */
record AtlasObservation(AttentionCase of, AtlasSpec spec, AttentionSnapshot whole, List<AttentionSnapshot> changes) {
    /** Those with one value per head. */
    static final List<Metric> METRICS = Metric.all(1).stream()
            .filter(metric -> !(metric instanceof Metric.Spectrum) && !(metric instanceof Metric.Symmetric))
            .toList();

    static AtlasObservation reference(AttentionCase one, AtlasSpec spec, int... pieces) {
        return observe(new Reference(), one, spec, pieces);
    }

    /** @param pieces numbers of rows of successive calls */
    static AtlasObservation observe(Backend backend, AttentionCase one, AtlasSpec atlas, int... pieces) {
        try (TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = one.spec(on);
            Tensor q = one.queries(on);
            Tensor k = one.keys(on);
            AttentionStatistics statistics = on.statistics(one.heads(), one.tokens() + 3, Optional.of(atlas));
            int[] first = {0};
            List<AttentionSnapshot> changes = Arrays.stream(pieces).mapToObj(count -> {
                backend.attentionStatistics(q.rows(first[0], count), k.rows(0, first[0] + count),
                        Packing.of(count, first[0] + count), spec, statistics);
                first[0] += count;
                return snapshot(backend, statistics, spec, statistics.firstChangedRow());
            }).toList();
            return new AtlasObservation(one, atlas, snapshot(backend, statistics, spec, 0), changes);
        }
    }

    private static AttentionSnapshot snapshot(
            Backend backend, AttentionStatistics statistics, AttentionSpec spec, int firstRow) {
        return backend.snapshot(
                new AttentionSnapshot.Request(
                        METRICS, Optional.of(firstRow), Optional.of(statistics.heads() - 1)),
                statistics, spec);
    }

    /** Compares snapshots of the same case with this reference. */
    void compare(String what, AtlasObservation actual) {
        double[] softmax = of.tolerance();
        double[] worst = IntStream.range(0, of.heads())
                .mapToDouble(head -> Arrays.stream(softmax, head * of.tokens(), (head + 1) * of.tokens())
                        .max().orElseThrow())
                .toArray();
        compare(what, worst, whole, actual.whole);
        for (int call = 0; call < changes.size(); call++) {
            compare("%s, call %d".formatted(what, call), worst, changes.get(call), actual.changes.get(call));
        }
    }

    /** @param worst largest relative error of the probabilities of each head */
    private void compare(String what, double[] worst, AttentionSnapshot expected, AttentionSnapshot actual) {
        assertEquals(expected.tokens(), actual.tokens(), what);
        assertEquals(expected.bin(), actual.bin(), what);
        assertEquals(expected.firstRow(), actual.firstRow(), what);
        int perHead = expected.cells().length / of.heads();
        agree(what + ": cells", expected.cells(), actual.cells(), i -> worst[i / perHead] * expected.cells()[i]
                + Tolerance.sum(2 * of.tokens(), expected.cells()[i]));
        double largestError = DoubleStream.of(worst).max().orElseThrow();
        for (Metric metric : METRICS) {
            double[][] values = expected.metrics().of(metric);
            for (int head = 0; head < of.heads(); head++) {
                double value = values[head][0];
                agree(what + ": " + metric.key(), values[head], actual.metrics().of(metric)[head],
                        i -> Tolerance.metric(metric, largestError, of.reach(), value));
            }
        }
        AttentionSnapshot.HeadVectors head = expected.head().orElseThrow();
        AttentionSnapshot.HeadVectors actualHead = actual.head().orElseThrow();
        double last = worst[of.heads() - 1];
        agree(what + ": newest row", head.row(), actualHead.row(), i -> last * head.row()[i] + Tolerance.formula(0));
        agree(what + ": log diagonal", head.logDiagonal(), actualHead.logDiagonal(),
                i -> last + Tolerance.formula(Math.abs(head.logDiagonal()[i])));
        double largest = DoubleStream.of(head.columnSum()).max().orElseThrow();
        agree(what + ": column sums", head.columnSum(), actualHead.columnSum(),
                i -> last * largest + Tolerance.formula(0));
    }

    /** The two observations have equal bits. */
    void sameBits(String what, AtlasObservation actual) {
        same(what + ": cells", whole.cells(), actual.whole.cells());
        AttentionSnapshot.HeadVectors head = whole.head().orElseThrow();
        AttentionSnapshot.HeadVectors actualHead = actual.whole.head().orElseThrow();
        same(what + ": newest row", head.row(), actualHead.row());
        same(what + ": column sums", head.columnSum(), actualHead.columnSum());
        same(what + ": log diagonal", head.logDiagonal(), actualHead.logDiagonal());
    }
}
