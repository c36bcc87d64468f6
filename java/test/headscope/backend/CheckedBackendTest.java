package headscope.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Wrong arguments are rejected before they reach a device, in one line that names the operation. */
class CheckedBackendTest extends ArgumentChecks {
    @Test
    void devices() {
        assertEquals("unknown device \"tpu\"; known are " + String.join(", ", DeviceChoice.NAMES),
                assertThrows(IllegalArgumentException.class, () -> Backend.open("tpu")).getMessage());
        assertTrue(backend.describe().startsWith("cpu, "), backend.describe());
    }

    @Test
    void allocations() {
        assertThrows(IllegalArgumentException.class, () -> backend.allocate(DType.F32, 2, -3));
        assertThrows(ArithmeticException.class, () -> backend.allocate(DType.F32, 1L << 40, 1L << 40));
        assertThrows(ArithmeticException.class, () -> backend.allocate(DType.F64, 1L << 61));
        assertArrayEquals(new float[6], backend.download(floats(2, 3)));
    }

    @Test
    void transfers() {
        refused("upload: 8 bytes into F32[3]", () -> backend.upload(floats(3), MemorySegment.ofArray(new float[2])));
        refused("upload: F32[3] is closed", () -> backend.upload(closed(3), MemorySegment.ofArray(new float[3])));
        refused("download: F64[3] is not F32", () -> backend.download(of(DType.F64, 3)));
        refused("download: F32[3] is closed", () -> backend.download(closed(3)));
        refused("download: F64[3] into 12 bytes",
                () -> backend.download(MemorySegment.ofArray(new float[3]), of(DType.F64, 3)));
    }

    @Test
    void embed() {
        Tensor table = floats(5, 4);
        refused("embed: id 5 is not in a table of 5 rows", () -> backend.embed(floats(2, 4), table, new int[] {0, 5}));
        refused("embed: id -1 is not in a table of 5 rows", () -> backend.embed(floats(2, 4), table, new int[] {-1, 0}));
        refused("embed: 3 ids", () -> backend.embed(floats(2, 4), table, new int[3]));
        refused("embed: 2 ids", () -> backend.embed(floats(2, 3), table, new int[2]));
        refused("embed: F16[5, 4] is not F32",
                () -> backend.embed(floats(2, 4), of(DType.F16, 5, 4), new int[2]));
    }

    @Test
    void linear() {
        Tensor x = floats(3, 4);
        Tensor weight = floats(5, 4);
        Optional<Tensor> none = Optional.empty();
        refused("linear: ", () -> backend.linear(floats(3, 4), x, weight, none));
        refused("linear: ", () -> backend.linear(floats(5, 3), x, weight, none));
        refused("linear: ", () -> backend.linear(floats(3, 5), x, floats(4, 5), none));
        refused("linear: ", () -> backend.linear(floats(3, 5), floats(12), weight, none));
        refused("linear: ", () -> backend.linear(floats(3, 5), x, weight, Optional.of(floats(4))));
        refused("linear: F32[5] is closed", () -> backend.linear(floats(3, 5), x, weight, Optional.of(closed(5))));
        refused("linear: F64[5] is not F32",
                () -> backend.linear(floats(3, 5), x, weight, Optional.of(of(DType.F64, 5))));
        refused("linear: F32[3, 4] is closed", () -> backend.linear(floats(3, 5), closed(3, 4), weight, none));
    }

    @Test
    void norms() {
        Tensor x = floats(3, 4);
        refused("layerNorm: ", () -> backend.layerNorm(floats(3, 5), x, floats(4), floats(4), 0));
        refused("layerNorm: ", () -> backend.layerNorm(x, x, floats(2), floats(4), 0));
        refused("layerNorm: ", () -> backend.layerNorm(x, x, floats(4), floats(5), 0));
        refused("layerNorm: F32[4] is closed", () -> backend.layerNorm(x, x, floats(4), closed(4), 0));
        refused("rmsNorm: ", () -> backend.rmsNorm(floats(4, 3), x, floats(4), 0));
        refused("rmsNorm: ", () -> backend.rmsNorm(x, x, floats(3), 0));
        refused("rmsNorm: ", () -> backend.rmsNorm(x, x, floats(2, 2), 0));
        refused("rmsNorm: F32[4] is closed", () -> backend.rmsNorm(x, x, closed(4), 0));
    }

    @Test
    void splitHeads() {
        Projections to = new Projections(floats(3, 8), floats(3, 4), floats(3, 4));
        Tensor joined = floats(3, 16);
        HeadTransform plain = HeadTransform.none(4);
        refused("splitHeads: ", () -> backend.splitHeads(to, floats(3, 15), plain, Packing.whole(3)));
        refused("splitHeads: ", () -> backend.splitHeads(to, joined, HeadTransform.none(3), Packing.whole(3)));
        refused("splitHeads: F32[3, 16] into", () -> backend.splitHeads(to, joined, plain, Packing.whole(4)));
        refused("splitHeads: F32[3, 16] is closed", () -> backend.splitHeads(to, closed(3, 16), plain, Packing.whole(3)));
        refused("splitHeads: F32[3, 16] into", () -> backend.splitHeads(
                new Projections(floats(3, 8), floats(3, 4), floats(3, 8)), joined, plain, Packing.whole(3)));
        refused("splitHeads: norms by", () -> backend.splitHeads(to, joined, normed(4, 8), Packing.whole(3)));
        refused("splitHeads: norms by", () -> backend.splitHeads(to, joined, normed(2, 2), Packing.whole(3)));
        refused("splitHeads: angles", () -> backend.splitHeads(to, joined, rotated(floats(3, 3), floats(3, 3)), Packing.whole(3)));
        refused("splitHeads: angles", () -> backend.splitHeads(to, joined, rotated(floats(2, 2), floats(2, 2)), Packing.whole(3)));
        refused("splitHeads: angles", () -> backend.splitHeads(to, joined, rotated(floats(3, 2), floats(3, 1)), Packing.whole(3)));
        refused("splitHeads: F32[3, 2] is closed",
                () -> backend.splitHeads(to, joined, rotated(floats(3, 2), closed(3, 2)), Packing.whole(3)));
    }

    private HeadTransform normed(int query, int key) {
        return new HeadTransform(
                4, Optional.of(new HeadTransform.Norm(floats(query), floats(key), 0)), Optional.empty());
    }

    private static HeadTransform rotated(Tensor cosine, Tensor sine) {
        return new HeadTransform(4, Optional.empty(), Optional.of(new HeadTransform.Rotation(cosine, sine)));
    }

    @Test
    void elements() {
        refused("activate: F32[3] is closed", () -> backend.activate(floats(3), closed(3), Activation.SILU));
        refused("gate: F32[2, 3] of gate and up F32[2, 3]",
                () -> backend.gate(floats(2, 3), floats(2, 3), Activation.SILU));
        refused("add: F32[2, 3] and F32[3, 2]", () -> backend.add(floats(2, 3), floats(3, 2)));
        refused("addRow: F32[2, 3] and F32[2]", () -> backend.addRow(floats(2, 3), floats(2)));
        refused("scale: F32[3] is closed", () -> backend.scale(closed(3), 2));
        refused("multiply: F32[3] and F32[4]", () -> backend.multiply(floats(3), floats(4)));
        refused("scaleHeads: F32[2, 6] by F32[1, 4], 1 ranges of rows up to 2",
                () -> backend.scaleHeads(floats(2, 6), floats(1, 4), RowRanges.all(2)));
        refused("scaleHeads: F32[2, 6] by F32[1, 3], 1 ranges of rows up to 3",
                () -> backend.scaleHeads(floats(2, 6), floats(1, 3), RowRanges.all(3)));
        refused("scaleHeads: F32[2, 6] by F32[2, 3], 1 ranges of rows up to 2",
                () -> backend.scaleHeads(floats(2, 6), floats(2, 3), RowRanges.all(2)));
        refused("convert: F32[3] into F16[4]", () -> backend.convert(of(DType.F16, 4), floats(3)));
        refused("convert: F64[3] is none of", () -> backend.convert(floats(3), of(DType.F64, 3)));
        refused("convert: F32[3] is closed", () -> backend.convert(of(DType.F16, 3), closed(3)));
        refused("softCap: cap 0.0", () -> backend.softCap(floats(3), 0));
        refused("softCap: cap -1.0", () -> backend.softCap(floats(3), -1));
        refused("softCap: cap NaN", () -> backend.softCap(floats(3), Float.NaN));
        refused("route: 0 of F32[2, 4]", () -> backend.route(floats(2, 4), 0));
        refused("route: 5 of F32[2, 4]", () -> backend.route(floats(2, 4), 5));
        refused("addShare: F32[2, 3] with column 4 of F32[2, 4]",
                () -> backend.addShare(floats(2, 3), floats(2, 3), floats(2, 4), 4));
        refused("addShare: F32[2, 3] with column 0 of F32[3, 4]",
                () -> backend.addShare(floats(2, 3), floats(2, 3), floats(3, 4), 0));
    }

    @Test
    void specs() {
        assertThrows(IllegalArgumentException.class, () -> AttentionSpec.plain(0, 0, 4, true));
        assertThrows(IllegalArgumentException.class, () -> AttentionSpec.plain(4, 3, 4, true));
        assertThrows(IllegalArgumentException.class, () -> AttentionSpec.plain(4, 2, 0, true));
        for (int[] wrong : new int[][] {{-1, 0, 1}, {0, -1, 1}, {3, 0, 0}}) {
            assertThrows(IllegalArgumentException.class, () -> new AttentionSpec(
                    1, 1, 4, 1, wrong[2] == 1, wrong[0], wrong[1], Optional.empty()));
        }
    }

    @Test
    void attention() {
        AttentionSpec spec = AttentionSpec.plain(4, 2, 8, true);
        Tensor q = floats(3, 32);
        Tensor k = floats(5, 16);
        Packing packing = Packing.of(3, 5);
        Optional<AttentionStatistics> none = Optional.empty();
        refused("attention: BF16[3, 32] is not F32",
                () -> backend.attention(of(DType.BF16, 3, 32), q, k, floats(5, 16), packing, spec, none));
        refused("attention: out", () -> backend.attention(floats(3, 16), q, k, floats(5, 16), packing, spec, none));
        refused("attention: out", () -> backend.attention(floats(3, 32), q, k, floats(4, 16), packing, spec, none));
        refused("attention: q", () -> backend.attention(floats(3, 16), floats(3, 16), k, k, packing, spec, none));
        refused("attention: q", () -> backend.attention(floats(3, 32), q, floats(5, 32), floats(5, 32), packing, spec, none));
        refused("attention: q", () -> backend.attention(floats(6, 32), floats(6, 32), k, k, packing, spec, none));
        refused("attention: q", () -> backend.attention(floats(0, 32), floats(0, 32), k, k, packing, spec, none));
        refused("attention: q", () -> backend.attention(
                floats(3, 32), q, k, k, packing, AttentionSpec.plain(4, 2, 8, false), none));
        refused("attention: F32[5, 16] is closed",
                () -> backend.attention(floats(3, 32), q, k, closed(5, 16), packing, spec, none));
        AttentionSpec sinks = new AttentionSpec(4, 2, 8, 1, true, 0, 0, Optional.of(floats(3)));
        refused("attention: sinks F32[3] for 4 heads",
                () -> backend.attention(floats(3, 32), q, k, floats(5, 16), packing, sinks, none));
        refused("attention: log-sum-exp F32[3, 5]",
                () -> backend.attention(floats(3, 32), floats(3, 5), q, k, floats(5, 16), packing, spec));
        refused("attentionMap: head 4", () -> backend.attentionMap(floats(3, 5), q, k, spec, 4));
        refused("attentionMap: head -1", () -> backend.attentionMap(floats(3, 5), q, k, spec, -1));
        refused("attentionMap: head 0", () -> backend.attentionMap(floats(5, 5), q, k, spec, 0));
    }

    @Test
    void pages() {
        AttentionSpec spec = AttentionSpec.plain(4, 2, 8, true);
        Packing packing = Packing.paged(List.of(new Packing.Text(3, 20, 0)), List.of(new int[] {0, 2}));
        Optional<AttentionStatistics> none = Optional.empty();
        Tensor pool = floats(32, 16);
        AttentionStatistics statistics = new AttentionStatistics(backend, 4, 20);
        HeadTransform plain = HeadTransform.none(8);
        refused("splitHeads: page 2 of a pool F32[32, 16]", () -> backend.splitHeads(
                new Projections(floats(3, 32), pool, pool), floats(3, 64), plain, packing));
        refused("splitHeads: F32[3, 64] into", () -> backend.splitHeads(
                new Projections(floats(3, 32), pool, pool), floats(3, 64), plain, Packing.of(3, 20)));
        refused("attention: page 2", () -> backend.attention(floats(3, 32), floats(3, 32), pool, pool, packing, spec, none));
        refused("attention: q", () -> backend.attention(
                floats(2, 32), floats(2, 32), floats(48, 16), floats(48, 16), packing, spec, none));
        refused("attentionStatistics: q", () -> backend.attentionStatistics(
                floats(3, 32), floats(20, 16), packing, spec, statistics));
        statistics.close();
    }

    @Test
    void snapshots() {
        AttentionSpec spec = AttentionSpec.plain(2, 2, 4, true);
        AtlasSpec atlas = new AtlasSpec(2, AtlasSpec.Pooling.MEAN);
        Optional<Integer> none = Optional.empty();
        AttentionStatistics closed = new AttentionStatistics(backend, 2, 4);
        closed.grow(3);
        closed.close();
        refused("snapshot: the statistics are closed", () -> backend.snapshot(request(none, none), closed, spec));
        refused("attentionStatistics: the statistics are closed",
                () -> backend.attentionStatistics(floats(1, 8), floats(4, 8), Packing.of(1, 4), spec, closed));
        try (AttentionStatistics plain = new AttentionStatistics(backend, 2, 4);
                AttentionStatistics pooled = new AttentionStatistics(backend, 2, 4, Optional.of(atlas));
                AttentionStatistics layers = new AttentionStatistics(backend, 3, 4)) {
            refused("snapshot: statistics of 2 heads and 0 tokens", () -> backend.snapshot(request(none, none), plain, spec));
            layers.grow(3);
            refused("snapshot: statistics of 3 heads and 3 tokens, for layers of 2 heads",
                    () -> backend.snapshot(request(none, none), layers, spec));
            backend.attentionStatistics(floats(3, 8), floats(3, 8), Packing.of(3, 3), spec, plain);
            backend.attentionStatistics(floats(3, 8), floats(3, 8), Packing.of(3, 3), spec, pooled);
            refused("snapshot: the statistics have no atlas",
                    () -> backend.snapshot(request(Optional.of(0), none), plain, spec));
            for (int row : new int[] {-1, 2}) {
                refused("snapshot: cells from row %d of 2".formatted(row),
                        () -> backend.snapshot(request(Optional.of(row), none), pooled, spec));
            }
            for (int head : new int[] {-1, 2}) {
                refused("snapshot: head %d of 2".formatted(head),
                        () -> backend.snapshot(request(none, Optional.of(head)), plain, spec));
            }
            refused("snapshot: laplacian has several values per head",
                    () -> backend.snapshot(request(none, none, new Metric.LaplacianEigenvalues(1)), plain, spec));
            refused("snapshot: fiedler_value needs the whole attention map",
                    () -> backend.snapshot(request(none, none, new Metric.FiedlerValue()), plain, spec));
        }
    }

    private static AttentionSnapshot.Request request(
            Optional<Integer> firstRow, Optional<Integer> head, Metric... metrics) {
        return new AttentionSnapshot.Request(List.of(metrics), firstRow, head);
    }

    @Test
    void statistics() {
        AttentionSpec spec = AttentionSpec.plain(2, 2, 4, true);
        Tensor q = floats(3, 8);
        List<Metric> entropy = List.of(new Metric.Entropy());
        try (AttentionStatistics fresh = new AttentionStatistics(backend, 2, 4);
                AttentionStatistics others = new AttentionStatistics(backend, 1, 4);
                AttentionStatistics small = new AttentionStatistics(backend, 2, 2)) {
            refused("attentionStatistics: ", () -> backend.attentionStatistics(q, q, Packing.of(3, 3), spec, others));
            refused("attentionStatistics: ", () -> backend.attentionStatistics(q, q, Packing.of(3, 3), spec, small));
            // Rows 3 and 4 without the statistics of rows 1 and 2.
            refused("attentionStatistics: ",
                    () -> backend.attentionStatistics(floats(2, 8), floats(4, 8), Packing.of(2, 4), spec, fresh));
            refused("measure: ", () -> backend.measure(entropy, fresh, spec));
            backend.attentionStatistics(q, q, Packing.of(3, 3), spec, fresh);
            assertEquals(3, fresh.tokens());
            refused("attentionStatistics: ", () -> backend.attentionStatistics(q, q, Packing.of(3, 3), spec, fresh));
            refused("measure: ", () -> backend.measure(
                    entropy, fresh, AttentionSpec.plain(1, 1, 4, true)));
            refused("measure: laplacian is defined for causal attention only", () -> backend.measure(
                    List.of(new Metric.Entropy(), new Metric.LaplacianEigenvalues(2)), fresh, AttentionSpec.plain(2, 2, 4, false)));
            refused("measure: fiedler_value needs the whole attention map",
                    () -> backend.measure(List.of(new Metric.FiedlerValue()), fresh, spec));
            refused("measure: no metrics", () -> backend.measure(List.of(), fresh, spec));
        }
    }

    @Test
    void spectra() {
        AttentionSpec spec = AttentionSpec.plain(1, 1, 1, true);
        refused("symmetricSpectrum: 1 texts with 2 queries and 3 keys: the texts must be whole", () -> backend.symmetricSpectrum(
                floats(2, 1), floats(3, 1), Packing.of(2, 3), spec));
        int many = Metric.Symmetric.MAX_TOKENS + 1;
        refused("symmetricSpectrum: 4097 tokens; the symmetrised spectrum is computed for at most 4096",
                () -> backend.symmetricSpectrum(floats(many, 1), floats(many, 1), Packing.of(many, many), spec));
    }
}
