package headscope.backend;

import static headscope.backend.AtlasObservation.observe;
import static headscope.backend.AtlasObservation.reference;
import static headscope.backend.AttentionCase.ones;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.Tolerance;
import headscope.backend.AtlasSpec.Pooling;
import headscope.backend.cpu.CpuBackend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention maps pooled to an atlas while a text grows, on every backend and in closed form. */
class AttentionAtlasParityTest {
    /** One cell, cells that the lengths do not divide, and more cells than tokens. */
    private static final List<AtlasSpec> SPECS = List.of(
            new AtlasSpec(1, Pooling.MEAN), new AtlasSpec(3, Pooling.MAXIMUM), new AtlasSpec(3, Pooling.MEAN),
            new AtlasSpec(16, Pooling.MEAN), new AtlasSpec(64, Pooling.MAXIMUM));

    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesInOneCall(AttentionCase one) {
        for (AtlasSpec spec : SPECS) {
            AtlasObservation expected = reference(one, spec, one.tokens());
            for (String device : Devices.ALL) {
                try (Backend backend = Devices.open(device)) {
                    expected.compare(device + " " + spec, observe(backend, one, spec, one.tokens()));
                    assertEquals(0, backend.liveBytes());
                }
            }
        }
    }

    /** Prefill and decoding, row by row or in chunks; the reference sees the same calls, but pools whole maps. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#fewCausal")
    void agreesInPieces(AttentionCase one) {
        int tokens = one.tokens();
        int prompt = (tokens + 1) / 2;
        int[] decoded = ones(1 + tokens - prompt);
        decoded[0] = prompt;
        int[] chunks = tokens < 3 ? ones(tokens) : new int[] {tokens / 3, 1, tokens - tokens / 3 - 1};
        for (AtlasSpec spec : List.of(new AtlasSpec(3, Pooling.MAXIMUM), new AtlasSpec(16, Pooling.MEAN))) {
            for (int[] pieces : List.of(ones(tokens), decoded, chunks)) {
                AtlasObservation expected = reference(one, spec, pieces);
                for (String device : Devices.ALL) {
                    try (Backend backend = Devices.open(device)) {
                        String what = "%s %s in %d pieces".formatted(device, spec, pieces.length);
                        expected.compare(what, observe(backend, one, spec, pieces));
                    }
                }
            }
        }
    }

    /** Maps from rounded inputs on tensor cores are as exact as those of fp32. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesIn16Bits(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            int tokens = one.tokens();
            AtlasSpec maximum = new AtlasSpec(5, Pooling.MAXIMUM);
            AtlasSpec mean = new AtlasSpec(5, Pooling.MEAN);
            int[] pieces = one.causal() ? ones(tokens) : new int[] {tokens};
            try (Backend backend = Devices.emulated(type)) {
                reference(one, maximum, tokens).compare(type.name(), observe(backend, one, maximum, tokens));
                reference(one, mean, pieces).compare(type + " row by row", observe(backend, one, mean, pieces));
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** Workers share a long text by stripes of rows, whose borders lie inside rows of cells. */
    @ParameterizedTest
    @CsvSource({"0, MAXIMUM", "100, MEAN"})
    void agreesOnLongTexts(int window, Pooling pooling) {
        AttentionCase one = new AttentionCase(1100, 2, 1, 16, true, window, 0, true, Inputs.NORMAL);
        for (int side : new int[] {7, 256}) {
            AtlasSpec spec = new AtlasSpec(side, pooling);
            for (int[] pieces : new int[][] {{1100}, {513, 64, 1, 519, 2, 1}}) {
                AtlasObservation expected = reference(one, spec, pieces);
                for (String device : Devices.ALL) {
                    try (Backend backend = Devices.open(device)) {
                        expected.compare(device, observe(backend, one, spec, pieces));
                    }
                }
            }
        }
    }

    /** After every token around each length at which cells are merged. */
    @ParameterizedTest
    @CsvSource({"1, MAXIMUM", "1, MEAN", "2, MEAN", "3, MAXIMUM", "3, MEAN", "8, MAXIMUM", "8, MEAN"})
    void mergesCellsWhenTheTextOutgrowsThem(int side, Pooling pooling) {
        AttentionCase one = new AttentionCase(4 * side + 2, 2, 1, 8, true, 0, 0, false, Inputs.NORMAL);
        AtlasSpec spec = new AtlasSpec(side, pooling);
        AtlasObservation expected = reference(one, spec, ones(one.tokens()));
        assertEquals(IntStream.rangeClosed(1, one.tokens()).map(spec::bin).boxed().toList(),
                expected.changes().stream().map(AttentionSnapshot::bin).toList());
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                expected.compare(device, observe(backend, one, spec, ones(one.tokens())));
            }
        }
    }

    @Test
    void binIsTheSmallestPowerOfTwoThatHoldsTheText() {
        AtlasSpec spec = new AtlasSpec(64, Pooling.MAXIMUM);
        int[][] expected = {{1, 1, 1}, {64, 1, 64}, {65, 2, 33}, {128, 2, 64}, {129, 4, 33}, {131_072, 2048, 64}};
        for (int[] line : expected) {
            assertArrayEquals(line, new int[] {line[0], spec.bin(line[0]), spec.rows(line[0])});
        }
        assertArrayEquals(new int[] {2, 2, 1, 0},
                IntStream.of(0, 31, 32, 33).map(cell -> spec.extent(65, cell)).toArray());
        for (int side : new int[] {0, -1, 257}) {
            assertThrows(IllegalArgumentException.class, () -> new AtlasSpec(side, Pooling.MEAN));
        }
    }

    /** Scores of 0: five tokens in cells of two, in one call and token by token. */
    @Test
    void uniformAttention() {
        float[] maximum = {1, 0, 0, 1 / 3f, 1 / 3f, 0, 1 / 5f, 1 / 5f, 1 / 5f};
        float[] mean = {1 / 2f, 0, 0, 7 / 24f, 5 / 24f, 0, 1 / 5f, 1 / 5f, 1 / 5f};
        float[] fifth = new float[9];
        float[] sixth = new float[9];
        Arrays.fill(fifth, 1 / 5f);
        Arrays.fill(sixth, 1 / 6f);
        AttentionSpec causal = AttentionSpec.plain(1, 1, 2, true);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                for (int[] pieces : new int[][] {{5}, ones(5), {2, 3}, {3, 1, 1}}) {
                    closedForm(on, new float[10], causal, maximum, mean, pieces);
                }
                closedForm(on, new float[10], AttentionSpec.plain(1, 1, 2, false), fifth, fifth, 5);
                Tensor sink = on.tensor(new float[1], 1);
                closedForm(on, new float[10], new AttentionSpec(1, 1, 2, 1, false, 0, 0, Optional.of(sink)), sixth, sixth, 5);
            }
        }
    }

    /** A token attends to those with an equal key, which are every other one; in a window of one, to itself. */
    @Test
    void oneHotAttention() {
        float[] x = {80, 0, 0, 80, 80, 0, 0, 80, 80, 0};
        AttentionSpec window = new AttentionSpec(1, 1, 2, 1, true, 1, 0, Optional.empty());
        float[] diagonal = {1, 0, 0, 0, 1, 0, 0, 0, 1};
        AttentionSpec all = AttentionSpec.plain(1, 1, 2, true);
        float[] maximum = {1, 0, 0, 1 / 2f, 1 / 2f, 0, 1 / 3f, 1 / 3f, 1 / 3f};
        float[] mean = {1 / 2f, 0, 0, 1 / 4f, 1 / 4f, 0, 1 / 6f, 1 / 6f, 1 / 3f};
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                for (int[] pieces : new int[][] {{5}, ones(5), {4, 1}}) {
                    closedForm(on, x, window, diagonal, new float[] {1 / 2f, 0, 0, 0, 1 / 2f, 0, 0, 0, 1}, pieces);
                    closedForm(on, x, all, maximum, mean, pieces);
                }
            }
        }
    }

    /** @param x queries and keys [5, 2] of one head */
    private static void closedForm(
            TensorScope on, float[] x, AttentionSpec spec, float[] maximum, float[] mean, int... pieces) {
        Tensor tokens = on.tensor(x, 5, 2);
        for (Pooling pooling : Pooling.values()) {
            AttentionStatistics statistics = on.statistics(1, 5, Optional.of(new AtlasSpec(3, pooling)));
            int end = 0;
            for (int count : pieces) {
                on.backend.attentionStatistics(tokens.rows(end, count), tokens.rows(0, end + count),
                        Packing.of(count, end + count), spec, statistics);
                end += count;
            }
            AttentionSnapshot snapshot = on.backend.snapshot(
                    new AttentionSnapshot.Request(List.of(), Optional.of(0), Optional.empty()), statistics, spec);
            float[] expected = pooling == Pooling.MAXIMUM ? maximum : mean;
            for (int cell = 0; cell < 9; cell++) {
                assertEquals(expected[cell], snapshot.cells()[cell], Tolerance.sum(10, expected[cell]),
                        "%s %s cell %d".formatted(on.backend.describe(), pooling, cell));
            }
        }
    }

    /** Cells of an earlier text do not survive in a shorter one. */
    @Test
    void clearedStatisticsStartAgain() {
        AttentionCase one = new AttentionCase(9, 2, 1, 8, true, 0, 0, false, Inputs.NORMAL);
        for (String device : Devices.ALL) {
            for (Pooling pooling : Pooling.values()) {
                try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                    Optional<AtlasSpec> atlas = Optional.of(new AtlasSpec(4, pooling));
                    AttentionStatistics statistics = on.statistics(2, 12, atlas);
                    backend.attentionStatistics(one.queries(on), one.keys(on),
                            Packing.whole(one.tokens()), one.spec(on), statistics);
                    statistics.clear();
                    assertArrayEquals(
                            ofFiveRows(on, one, on.statistics(2, 12, atlas)), ofFiveRows(on, one, statistics), device);
                }
            }
        }
    }

    /** Cells after the first five rows, one by one. */
    private static float[] ofFiveRows(TensorScope on, AttentionCase one, AttentionStatistics statistics) {
        AttentionSpec spec = one.spec(on);
        for (int row = 0; row < 5; row++) {
            on.backend.attentionStatistics(
                    one.queries(on).rows(row, 1), one.keys(on).rows(0, row + 1),
                            Packing.of(1, row + 1), spec, statistics);
        }
        return on.backend.snapshot(
                new AttentionSnapshot.Request(List.of(), Optional.of(0), Optional.empty()), statistics, spec).cells();
    }

    /** Two layers in one block of memory give the numbers of two layers of their own. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", Devices.EMULATED})
    void layersShareStatistics(String device) {
        AttentionCase one = new AttentionCase(9, 2, 1, 8, true, 0, 0, false, Inputs.NORMAL);
        AtlasSpec atlas = new AtlasSpec(4, Pooling.MAXIMUM);
        try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = one.spec(on);
            AttentionStatistics all = on.statistics(4, 12, Optional.of(atlas));
            AttentionSnapshot.Request request = new AttentionSnapshot.Request(
                    AtlasObservation.METRICS, Optional.of(0), Optional.of(1));
            List<AttentionSnapshot> apart = IntStream.of(0, 1).mapToObj(layer -> {
                AttentionStatistics statistics = all.heads(2 * layer, 2);
                Tensor q = one.queries(on);
                backend.scale(q, layer + 1);
                backend.attentionStatistics(q, one.keys(on), Packing.of(q.intSize(0), one.tokens()), spec, statistics);
                return backend.snapshot(request, statistics, spec);
            }).toList();
            all.grow(9);
            AttentionSnapshot together = backend.snapshot(
                    new AttentionSnapshot.Request(request.metrics(), request.firstRow(), Optional.of(3)), all, spec);
            int perLayer = together.cells().length / 2;
            for (int layer = 0; layer < 2; layer++) {
                assertArrayEquals(apart.get(layer).cells(),
                        Arrays.copyOfRange(together.cells(), layer * perLayer, (layer + 1) * perLayer));
                for (Metric metric : AtlasObservation.METRICS) {
                    for (int head = 0; head < 2; head++) {
                        assertArrayEquals(apart.get(layer).metrics().of(metric)[head],
                                together.metrics().of(metric)[2 * layer + head]);
                    }
                }
            }
            assertArrayEquals(apart.get(1).head().orElseThrow().columnSum(), together.head().orElseThrow().columnSum());
        }
    }

    /** On the CPU, sums over rows are those of {@link Backend#measure}, in the same order. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void metricsEqualThoseOfAllRows(boolean causal) {
        AttentionCase one = new AttentionCase(37, 3, 1, 16, causal, 0, 0, true, Inputs.NORMAL);
        try (Backend backend = Backend.open("cpu"); TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = one.spec(on);
            AttentionStatistics statistics = on.statistics(3, 40);
            for (int[] rows : causal ? new int[][] {{0, 30}, {30, 31}, {31, 37}} : new int[][] {{0, 37}}) {
                backend.attentionStatistics(one.queries(on).rows(rows[0], rows[1] - rows[0]),
                        one.keys(on).rows(0, rows[1]), Packing.of(rows[1] - rows[0], rows[1]), spec, statistics);
            }
            AttentionSnapshot snapshot = backend.snapshot(
                    new AttentionSnapshot.Request(AtlasObservation.METRICS, Optional.empty(), Optional.of(2)),
                    statistics, spec);
            LayerResult expected = backend.measure(AtlasObservation.METRICS, statistics, spec).getFirst();
            for (Metric metric : AtlasObservation.METRICS) {
                for (int head = 0; head < 3; head++) {
                    assertArrayEquals(expected.of(metric)[head], snapshot.metrics().of(metric)[head], metric.key());
                }
            }
            if (causal) {
                Metric laplacian = new Metric.LaplacianEigenvalues(Metric.ALL);
                double[] ascending = snapshot.head().orElseThrow().laplacian();
                Arrays.sort(ascending);
                double[] descending = backend.measure(List.of(laplacian), statistics, spec).getFirst().of(laplacian)[2];
                for (int i = 0; i < ascending.length; i++) {
                    assertEquals(descending[i], ascending[ascending.length - 1 - i]);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 130, 600})
    void bitsDoNotDependOnWorkersOrRuns(int tokens) {
        AttentionCase one = new AttentionCase(tokens, 3, 1, 16, true, 0, 0, true, Inputs.NORMAL);
        for (AtlasSpec spec : List.of(new AtlasSpec(7, Pooling.MEAN), new AtlasSpec(7, Pooling.MAXIMUM))) {
            AtlasObservation expected;
            try (Backend backend = new CheckedBackend(new CpuBackend(1))) {
                expected = observe(backend, one, spec, tokens - 1, 1);
            }
            for (int workers = 1; workers <= 3; workers++) {
                try (Backend backend = new CheckedBackend(new CpuBackend(workers))) {
                    for (int run = 0; run < 2; run++) {
                        expected.sameBits(workers + " workers", observe(backend, one, spec, tokens - 1, 1));
                    }
                }
            }
            try (Backend backend = Devices.emulated(DType.F32)) {
                AtlasObservation first = observe(backend, one, spec, tokens - 1, 1);
                first.sameBits("emulated", observe(backend, one, spec, tokens - 1, 1));
            }
        }
    }
}
