package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.Precision;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All texts of a batch take the same launches and one download, and each has the bits that it has alone. */
class PackedAttentionTest {
    private static final List<Integer> TOKENS = List.of(18, 1, 130, 3, 64, 1, 33);
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final List<Metric> METRICS = Metric.all(20).stream()
            .filter(metric -> !(metric instanceof Metric.Symmetric))
            .toList();

    /** Operands, and whether kernels for Hopper compute with them. */
    private enum Kind {
        F32(Precision.F32, false),
        BF16(Precision.BF16, false),
        F16(Precision.F16, false),
        HOPPER(Precision.BF16, true);

        final Precision precision;
        final boolean hopper;
        final int headDim;

        Kind(Precision precision, boolean hopper) {
            this.precision = precision;
            this.hopper = hopper;
            this.headDim = hopper ? 64 : 16;
        }
    }

    /** What was computed for each text, and what it took. */
    private record Computed(List<List<float[]>> texts, long launches, long downloads) {}

    @ParameterizedTest
    @EnumSource
    void textsHaveTheirOwnBits(Kind kind) {
        for (AttentionSpec spec : specs(kind.headDim)) {
            Computed together = compute(kind, spec, TOKENS);
            for (int text = 0; text < TOKENS.size(); text++) {
                List<float[]> alone = compute(kind, spec, List.of(TOKENS.get(text))).texts().getFirst();
                for (int i = 0; i < alone.size(); i++) {
                    assertArrayEquals(alone.get(i), together.texts().get(text).get(i), 0,
                            "%s, %s, text %d, result %d".formatted(kind, spec, text, i));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "HOPPER"})
    void launchesDoNotDependOnTheNumberOfTexts(Kind kind) {
        AttentionSpec spec = specs(kind.headDim).getFirst();
        Computed few = compute(kind, spec, TOKENS.subList(0, 3));
        Computed many = compute(kind, spec, TOKENS);
        assertEquals(few.launches(), many.launches());
        assertEquals(1, few.downloads());
        assertEquals(1, many.downloads());
    }

    /** Three heads of 34 tokens are no multiple of 16 bytes, from which on Hopper copies boxes. */
    @Test
    void layersBeginWhereBoxesCan() {
        AttentionSpec spec = AttentionSpec.plain(3, 3, 64, true);
        int tokens = 33;
        int capacity = AttentionStatistics.aligned(tokens + 1);
        try (Backend backend = EmulatedDevice.openHopper(DType.BF16);
                AttentionStatistics alone = new AttentionStatistics(backend, 3, tokens);
                AttentionStatistics ofSequence = new AttentionStatistics(backend, 6, capacity);
                AttentionStatistics ofBatch = new AttentionStatistics(
                        backend, 3, new int[] {capacity, capacity}, Optional.empty())) {
            Tensor x = backend.allocate(DType.BF16, tokens, 3 * 64);
            for (AttentionStatistics statistics : List.of(alone, ofSequence.heads(3, 3), ofBatch.texts(1, 1))) {
                backend.attentionStatistics(x, x, Packing.of(tokens, tokens), spec, statistics);
                assertArrayEquals(columnSums(backend, alone, tokens), columnSums(backend, statistics, tokens));
            }
            x.buffer().close();
        }
    }

    private static double[] columnSums(Backend backend, AttentionStatistics statistics, int tokens) {
        double[] sums = new double[statistics.heads() * statistics.capacity()];
        backend.download(MemorySegment.ofArray(sums), statistics.columnSum);
        return IntStream.range(0, statistics.heads())
                .mapToObj(head -> Arrays.stream(sums, head * statistics.capacity(), head * statistics.capacity() + tokens))
                .flatMapToDouble(head -> head)
                .toArray();
    }

    private static List<AttentionSpec> specs(int headDim) {
        return List.of(
                AttentionSpec.plain(HEADS, KV_HEADS, headDim, true),
                AttentionSpec.plain(HEADS, HEADS, headDim, false),
                new AttentionSpec(HEADS, KV_HEADS, headDim, 0.25f, true, 19, 5, Optional.empty()));
    }

    private static Computed compute(Kind kind, AttentionSpec spec, List<Integer> tokens) {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE, kind.hopper);
        int[] lengths = tokens.stream().mapToInt(Integer::intValue).toArray();
        Packing packing = Packing.whole(lengths);
        List<Tensor> tensors = new ArrayList<>();
        List<List<float[]>> texts = new ArrayList<>();
        long launches;
        long downloads;
        try (CudaBackend backend = new CudaBackend(device, kind.precision);
                AttentionStatistics statistics = new AttentionStatistics(backend, HEADS, lengths, Optional.empty())) {
            DType operands = backend.operands();
            Tensor q = random(backend, DType.F32, tokens, spec.heads() * kind.headDim, 1, tensors);
            Tensor k = random(backend, operands, tokens, spec.kvHeads() * kind.headDim, 2, tensors);
            Tensor v = random(backend, operands, tokens, spec.kvHeads() * kind.headDim, 3, tensors);
            Tensor gradient = random(backend, DType.F32, tokens, spec.heads() * kind.headDim, 4, tensors);
            Tensor out = kept(backend.allocate(DType.F32, q.shape()), tensors);
            Tensor logSumExp = kept(backend.allocate(DType.F32, HEADS * q.size(0)), tensors);
            Tensor qGradient = kept(backend.allocate(DType.F32, q.shape()), tensors);
            Tensor kGradient = kept(backend.allocate(DType.F32, k.shape()), tensors);
            Tensor vGradient = kept(backend.allocate(DType.F32, k.shape()), tensors);
            launches = device.launches();
            downloads = device.downloads();
            backend.attention(out, q, k, v, packing, spec, Optional.of(statistics));
            List<LayerResult> metrics = backend.measure(metrics(spec), statistics, spec);
            backend.attention(out, logSumExp, q, k, v, packing, spec);
            backend.gradients().attention(qGradient, kGradient, vGradient, gradient, out, logSumExp, q, k, v, packing,
                    spec, Collections.nCopies(packing.count(), Optional.empty()));
            launches = device.launches() - launches;
            downloads = device.downloads() - downloads;
            for (int i = 0; i < packing.count(); i++) {
                TextRows text = new TextRows(packing, i);
                AttentionStatistics own = statistics.text(i);
                List<float[]> results = new ArrayList<>();
                for (Tensor tensor : List.of(
                        text.queries(out), text.queries(qGradient), text.keys(kGradient), text.keys(vGradient),
                        text.logSumExp(logSumExp, HEADS), own.logSumExp, own.logDiagonal, own.entropy, own.maximum,
                        own.previous, own.distance)) {
                    results.add(backend.download(tensor));
                }
                LayerResult measured = metrics.get(i);
                metrics(spec).forEach(metric -> {
                    for (double[] ofHead : measured.of(metric)) {
                        results.add(floats(ofHead));
                    }
                });
                texts.add(results);
            }
            tensors.forEach(tensor -> tensor.buffer().close());
        }
        return new Computed(texts, launches, downloads);
    }

    private static List<Metric> metrics(AttentionSpec spec) {
        return METRICS.stream().filter(metric -> spec.causal() || !metric.causalOnly()).toList();
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static Tensor kept(Tensor tensor, List<Tensor> tensors) {
        tensors.add(tensor);
        return tensor;
    }

    /** Rows of all texts; those of a text depend on its length alone. */
    private static Tensor random(
            CudaBackend backend, DType dtype, List<Integer> tokens, int width, int seed, List<Tensor> tensors) {
        int rows = tokens.stream().mapToInt(Integer::intValue).sum();
        float[] values = new float[rows * width];
        int at = 0;
        for (int length : tokens) {
            Random random = new Random(31L * length + seed);
            for (int i = 0; i < length * width; i++) {
                values[at++] = (float) random.nextGaussian();
            }
        }
        Tensor floats = kept(backend.allocate(DType.F32, rows, width), tensors);
        backend.upload(floats, MemorySegment.ofArray(values));
        if (dtype == DType.F32) {
            return floats;
        }
        Tensor converted = kept(backend.allocate(dtype, floats.shape()), tensors);
        backend.convert(converted, floats);
        return converted;
    }
}
