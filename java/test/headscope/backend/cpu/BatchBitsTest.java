package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.TensorScope;
import headscope.backend.TextRows;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On the CPU, attention over a text gives the same bytes alone, in any batch, in any order and with any number of workers. */
class BatchBitsTest {
    private static final int[] TOKENS = {18, 45, 1, 130, 24, 600, 2, 64, 17};
    private static final int HEADS = 6;
    private static final int KV_HEADS = 2;

    /** Everything that attention and its gradients write for one text. */
    private record Bytes(List<byte[]> tensors, List<double[][]> metrics) {}

    @ParameterizedTest
    @ValueSource(ints = {16, 24, 64})
    void textsHaveTheSameBytesInAnyBatch(int headDim) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, TOKENS.length).boxed().toList());
        Bytes[] alone = new Bytes[TOKENS.length];
        try (Backend backend = new CpuBackend(1)) {
            for (int text : order) {
                alone[text] = observe(backend, headDim, List.of(text)).getFirst();
            }
        }
        for (int workers : new int[] {1, 2, 3}) {
            try (Backend backend = new CpuBackend(workers)) {
                Collections.shuffle(order, new Random(workers));
                List<Bytes> together = observe(backend, headDim, order);
                for (int i = 0; i < order.size(); i++) {
                    same("text of %d tokens, %d workers".formatted(TOKENS[order.get(i)], workers),
                            alone[order.get(i)], together.get(i));
                }
            }
        }
    }

    private static void same(String what, Bytes expected, Bytes actual) {
        for (int i = 0; i < expected.tensors().size(); i++) {
            assertArrayEquals(expected.tensors().get(i), actual.tensors().get(i), what + ", tensor " + i);
        }
        for (int i = 0; i < expected.metrics().size(); i++) {
            assertArrayEquals(expected.metrics().get(i), actual.metrics().get(i), what + ", metric " + i);
        }
    }

    /** Texts in an order, as one batch. */
    private static List<Bytes> observe(Backend backend, int headDim, List<Integer> texts) {
        int[] lengths = texts.stream().mapToInt(text -> TOKENS[text]).toArray();
        Packing packing = Packing.whole(lengths);
        AttentionSpec spec = AttentionSpec.plain(HEADS, KV_HEADS, headDim, true);
        try (TensorScope on = new TensorScope(backend)) {
            Tensor q = inputs(on, "q", texts, HEADS * headDim);
            Tensor k = inputs(on, "k", texts, KV_HEADS * headDim);
            Tensor v = inputs(on, "v", texts, KV_HEADS * headDim);
            Tensor gradient = inputs(on, "g", texts, HEADS * headDim);
            Tensor out = on.unwritten(q.shape());
            Tensor logSumExp = on.unwritten((long) HEADS * packing.queries());
            List<Tensor> gradients = Stream.of(q, k, v).map(x -> on.unwritten(x.shape())).toList();
            List<Optional<AttentionSaliency>> saliency = texts.stream()
                    .map(text -> Optional.of(on.saliency(HEADS, TOKENS[text], request(TOKENS[text]))))
                    .toList();
            List<Bytes> bytes = new ArrayList<>();
            try (AttentionStatistics statistics = new AttentionStatistics(
                    backend, HEADS, lengths, Optional.of(new AtlasSpec(8, AtlasSpec.Pooling.MEAN)))) {
                backend.attention(out, q, k, v, packing, spec, Optional.of(statistics));
                backend.attention(out, logSumExp, q, k, v, packing, spec);
                backend.gradients().attention(
                        gradients.get(0), gradients.get(1), gradients.get(2), gradient, out, logSumExp, q, k, v,
                        packing, spec, saliency);
                List<Metric> metrics = Metric.all(10).stream().filter(m -> !(m instanceof Metric.Symmetric)).toList();
                List<LayerResult> results = backend.measure(metrics, statistics, spec);
                for (int i = 0; i < texts.size(); i++) {
                    TextRows rows = new TextRows(packing, i);
                    AttentionStatistics ofText = rows.statistics(statistics);
                    List<Tensor> all = new ArrayList<>(List.of(
                            rows.queries(out), rows.logSumExp(logSumExp, HEADS), rows.queries(gradients.get(0)),
                            rows.keys(gradients.get(1)), rows.keys(gradients.get(2)), ofText.logSumExp,
                            ofText.logDiagonal, ofText.columnSum, ofText.entropy, ofText.maximum, ofText.previous,
                            ofText.distance, ofText.sums));
                    AttentionSaliency maps = saliency.get(i).orElseThrow();
                    all.addAll(List.of(maps.signed, maps.rows, maps.columns, maps.maximum, maps.groups,
                            maps.pooledMaximum, maps.pooledMean, maps.maps));
                    int text = i;
                    bytes.add(new Bytes(all.stream().map(BatchBitsTest::bytes).toList(),
                            metrics.stream().map(metric -> results.get(text).of(metric)).toList()));
                }
            }
            return bytes;
        }
    }

    private static byte[] bytes(Tensor tensor) {
        return tensor.bytes().toArray(JAVA_BYTE);
    }

    private static AttentionSaliency.Request request(int tokens) {
        int[] groups = new int[tokens];
        Arrays.setAll(groups, token -> token % 3 - 1);
        return new AttentionSaliency.Request(groups, 0, Math.min(tokens, 8), List.of(0, 2));
    }

    private static Tensor inputs(TensorScope on, String name, List<Integer> texts, int width) {
        int rows = texts.stream().mapToInt(text -> TOKENS[text]).sum();
        Tensor all = on.allocate(DType.F32, rows, width);
        int first = 0;
        for (int text : texts) {
            float[] values = new float[TOKENS[text] * width];
            Random random = new Random(name.hashCode() + text);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            on.backend.upload(all.rows(first, TOKENS[text]), MemorySegment.ofArray(values));
            first += TOKENS[text];
        }
        return all;
    }
}
