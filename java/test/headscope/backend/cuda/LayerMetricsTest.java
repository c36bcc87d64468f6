package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.Precision;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Numbers of a layer, or of all layers, cross from the device to the host at once. */
class LayerMetricsTest {
    private static final int TOKENS = 9;
    private static final int HEADS = 3;

    @Test
    void allMetricsOfALayerCostOneDownload() {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        List<Metric> metrics = Metric.all(4).stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();
        AttentionSpec spec = AttentionSpec.plain(HEADS, HEADS, 2, true);
        try (Backend backend = new CudaBackend(device, Precision.F32);
                AttentionStatistics statistics = new AttentionStatistics(backend, HEADS, TOKENS)) {
            Tensor q = backend.allocate(DType.F32, TOKENS, HEADS * 2);
            float[] values = new float[TOKENS * HEADS * 2];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.sin(i);
            }
            backend.upload(q, MemorySegment.ofArray(values));
            backend.attentionStatistics(q, q, Packing.of(q.intSize(0), q.intSize(0)), spec, statistics);
            long before = device.downloads();
            backend.measure(metrics, statistics, spec).getFirst();
            assertEquals(1, device.downloads() - before);
            q.buffer().close();
        }
    }

    /** Two layers: metrics, the changed rows of cells and a head's vectors, after a prompt and after a token. */
    @Test
    void aSnapshotOfAllLayersCostsOneDownload() {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        List<Metric> metrics = Metric.all(1).stream()
                .filter(metric -> !(metric instanceof Metric.Symmetric) && !(metric instanceof Metric.Spectrum))
                .toList();
        AttentionSpec spec = AttentionSpec.plain(HEADS, HEADS, 2, true);
        Optional<AtlasSpec> atlas = Optional.of(new AtlasSpec(4, AtlasSpec.Pooling.MEAN));
        try (Backend backend = new CudaBackend(device, Precision.F32);
                AttentionStatistics all = new AttentionStatistics(backend, 2 * HEADS, TOKENS, atlas)) {
            Tensor q = backend.allocate(DType.F32, TOKENS, HEADS * 2);
            List<AttentionStatistics> layers = List.of(all.heads(0, HEADS), all.heads(HEADS, HEADS));
            for (int[] rows : new int[][] {{0, TOKENS - 1}, {TOKENS - 1, TOKENS}}) {
                layers.forEach(layer -> backend.attentionStatistics(
                        q.rows(rows[0], rows[1] - rows[0]), q.rows(0, rows[1]),
                                Packing.of(rows[1] - rows[0], rows[1]), spec, layer));
                all.grow(rows[1] - rows[0]);
                long before = device.downloads();
                AttentionSnapshot snapshot = backend.snapshot(
                        new AttentionSnapshot.Request(metrics, Optional.of(all.firstChangedRow()), Optional.of(HEADS)), all,
                        spec);
                assertEquals(1, device.downloads() - before);
                // Eight tokens fill four rows of cells; the ninth doubles the tokens per cell, which fill three.
                assertEquals(2 * HEADS * (rows[1] == TOKENS ? 3 : 4) * 4, snapshot.cells().length);
                assertEquals(rows[1], snapshot.head().orElseThrow().columnSum().length);
            }
            q.buffer().close();
        }
    }
}
