package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A layer crosses from the device to the host once. */
class LayerMetricsTest {
    private static final int TOKENS = 9;
    private static final int HEADS = 3;

    @Test
    void allMetricsOfALayerCostOneDownload() {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        List<Metric> metrics = Metric.all(4).stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();
        AttentionSpec spec = AttentionSpec.plain(HEADS, HEADS, 2, true);
        try (Backend backend = new CudaBackend(device, DType.F32);
                AttentionStatistics statistics = new AttentionStatistics(backend, HEADS, TOKENS)) {
            Tensor q = backend.allocate(DType.F32, TOKENS, HEADS * 2);
            float[] values = new float[TOKENS * HEADS * 2];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.sin(i);
            }
            backend.upload(q, MemorySegment.ofArray(values));
            backend.attentionStatistics(q, q, spec, statistics);
            long before = device.downloads();
            backend.measure(metrics, statistics, spec);
            assertEquals(1, device.downloads() - before);
            q.buffer().close();
        }
    }
}
