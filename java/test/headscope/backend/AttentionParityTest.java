package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static headscope.backend.AttentionCase.ones;
import static headscope.backend.AttentionObservation.observe;
import static headscope.backend.AttentionObservation.reference;
import static headscope.backend.AttentionObservation.statistics;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention, its statistics, metrics, maps and symmetrised spectra on every backend. */
class AttentionParityTest {
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#all")
    void agrees(AttentionCase one) {
        AttentionObservation expected = reference(one);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                AttentionObservation actual = observe(backend, one, one.tokens());
                expected.compare(device, actual);
                actual.sameStatistics(device, statistics(backend, one));
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** From rounded inputs on tensor cores, statistics are as exact as those of fp32. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesIn16Bits(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            AttentionObservation expected = reference(one);
            try (Backend backend = Devices.emulated(type)) {
                AttentionObservation actual = observe(backend, one, one.tokens());
                expected.compare(type.name(), actual);
                actual.sameStatistics(type.name(), statistics(backend, one));
                if (one.causal()) {
                    expected.compare(type + " row by row", observe(backend, one, ones(one.tokens())));
                }
                compareMaps(type.name(), one, maps(new Reference(), one), maps(backend, one));
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** With warp groups, at once and in two chunks. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#fewForHopper")
    void agreesOnHopper(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            AttentionObservation expected = reference(one);
            int tokens = one.tokens();
            try (Backend backend = Devices.emulatedHopper(type)) {
                AttentionObservation actual = observe(backend, one, tokens);
                expected.compare(type.name(), actual);
                actual.sameStatistics(type.name(), statistics(backend, one));
                if (one.causal()) {
                    expected.compare(type + " in chunks", observe(backend, one, tokens / 2, tokens - tokens / 2));
                }
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** Prefill and decoding, row by row or in chunks, give the statistics of one call. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#fewCausal")
    void agreesInPieces(AttentionCase one) {
        AttentionObservation expected = reference(one);
        int tokens = one.tokens();
        int prompt = (tokens + 1) / 2;
        int[] decoded = ones(1 + tokens - prompt);
        decoded[0] = prompt;
        int[] chunks = tokens < 3 ? ones(tokens) : new int[] {tokens / 3, 1, tokens - tokens / 3 - 1};
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                expected.compare(device + " row by row", observe(backend, one, ones(tokens)));
                expected.compare(device + " prefill and decoding", observe(backend, one, decoded));
                expected.compare(device + " in chunks", observe(backend, one, chunks));
            }
        }
    }

    /** A long prompt in chunks that end at, before and after the borders of stripes and blocks. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void agreesInPiecesOfLongTexts(int window) {
        AttentionCase one = new AttentionCase(1100, 2, 1, 16, true, window, 0, true, Inputs.NORMAL);
        AttentionObservation expected = reference(one);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                expected.compare(device + " in chunks", observe(backend, one, 513, 64, 1, 519, 2, 1));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void mapsAndSpectraAgree(AttentionCase one) {
        AttentionObservation statistics = reference(one);
        double worst = DoubleStream.of(one.tolerance()).max().orElseThrow();
        float[][] expectedMaps = maps(new Reference(), one);
        double[][] expected = spectrum(new Reference(), one);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                float[][] maps = maps(backend, one);
                compareMaps(device, one, expectedMaps, maps);
                rowsAreDistributions(one, maps, statistics);
                double[][] actual = spectrum(backend, one);
                for (int head = 0; head < one.heads(); head++) {
                    if (!drained(one, expectedMaps[head])) {
                        agree(device + " spectrum of head " + head, expected[head], actual[head],
                                i -> Tolerance.eigenvalue(worst, one.tokens()));
                    }
                }
            }
        }
    }

    private static void compareMaps(String what, AttentionCase one, float[][] expected, float[][] actual) {
        double[] softmax = one.tolerance();
        for (int head = 0; head < one.heads(); head++) {
            int row = head * one.tokens();
            float[] map = expected[head];
            agree(what + " map of head " + head, map, actual[head],
                    i -> softmax[row + i / one.tokens()] * map[i] + Tolerance.formula(0));
        }
    }

    /** Whether the sink takes almost all of a row: the row's degree, by which the graph is divided, is then noise. */
    private static boolean drained(AttentionCase one, float[] map) {
        boolean drained = false;
        for (int i = 0; i < one.tokens(); i++) {
            double sum = 0;
            for (int j = 0; j < one.tokens(); j++) {
                sum += map[i * one.tokens() + j];
            }
            drained |= sum < 1e-20;
        }
        return drained;
    }

    /** [heads][tokens * tokens]. */
    private static float[][] maps(Backend backend, AttentionCase one) {
        float[][] maps = new float[one.heads()][];
        try (TensorScope on = new TensorScope(backend)) {
            Tensor q = one.queries(on);
            Tensor k = one.keys(on);
            AttentionSpec spec = one.spec(on);
            for (int head = 0; head < one.heads(); head++) {
                Tensor map = on.unwritten(one.tokens(), one.tokens());
                backend.attentionMap(map, q, k, spec, head);
                maps[head] = backend.download(map);
            }
        }
        return maps;
    }

    private static double[][] spectrum(Backend backend, AttentionCase one) {
        try (TensorScope on = new TensorScope(backend)) {
            return backend.symmetricSpectrum(one.queries(on), one.keys(on),
                    Packing.whole(one.tokens()), one.spec(on)).getFirst();
        }
    }

    /** Masked keys have probability 0, and a row sums to 1 minus the sink's probability. */
    private static void rowsAreDistributions(AttentionCase one, float[][] maps, AttentionObservation statistics) {
        int tokens = one.tokens();
        double[] tolerance = one.tolerance();
        float[] sinks = one.sinkScores();
        for (int row = 0; row < one.heads() * tokens; row++) {
            int head = row / tokens;
            int i = row % tokens;
            double sum = 0;
            for (int j = 0; j < tokens; j++) {
                float p = maps[head][i * tokens + j];
                boolean hidden = one.causal() && (j > i || one.window() > 0 && j <= i - one.window());
                assertTrue(hidden ? p == 0 : p >= 0, () -> one + Seed.reproduce());
                sum += p;
            }
            double drained = one.sinks() ? Math.exp(sinks[head] - statistics.logSumExp()[row]) : 0;
            assertEquals(1 - drained, sum, tolerance[row], () -> one + Seed.reproduce());
        }
    }

    /** A long map is computed in blocks of rows. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16})
    void mapInBlocksOfRows(int rows) {
        AttentionCase any = new AttentionCase(80, 4, 2, 16, true, 70, 0, true, Inputs.NORMAL);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                mapInBlocksOfRows(device, backend, any, rows);
            }
        }
        for (DType type : List.of(DType.BF16, DType.F16)) {
            try (Backend backend = Devices.emulated(type)) {
                mapInBlocksOfRows(type.name(), backend, any.of(type), rows);
            }
        }
    }

    private static void mapInBlocksOfRows(String what, Backend backend, AttentionCase one, int rows) {
        int tokens = one.tokens();
        double worst = DoubleStream.of(one.tolerance()).max().orElseThrow();
        float[] whole = maps(new Reference(), one)[3];
        try (TensorScope on = new TensorScope(backend)) {
            Tensor q = one.queries(on);
            Tensor k = one.keys(on);
            AttentionSpec spec = one.spec(on);
            for (int first = 0; first < tokens; first += rows) {
                int count = Math.min(rows, tokens - first);
                int keys = first + count;
                Tensor map = on.unwritten(count, keys);
                backend.attentionMap(map, q.rows(first, count), k.rows(0, keys), spec, 3);
                float[] expected = new float[count * keys];
                for (int row = 0; row < count; row++) {
                    System.arraycopy(whole, (first + row) * tokens, expected, row * keys, keys);
                }
                agree(what + " rows from " + first, expected, backend.download(map),
                        i -> worst * expected[i] + Tolerance.formula(0));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 130, 600})
    void bitsDoNotDependOnWorkersOrRuns(int tokens) {
        AttentionCase one = new AttentionCase(tokens, 3, 1, 16, true, 0, 0, true, Inputs.NORMAL);
        AttentionObservation expected;
        try (Backend backend = new CheckedBackend(new CpuBackend(1))) {
            expected = observe(backend, one, tokens);
        }
        for (int workers = 1; workers <= 3; workers++) {
            try (Backend backend = new CheckedBackend(new CpuBackend(workers))) {
                for (int run = 0; run < 2; run++) {
                    AttentionObservation actual = observe(backend, one, tokens);
                    expected.sameStatistics(workers + " workers", actual);
                    same(workers + " workers: output", expected.out(), actual.out());
                }
            }
        }
    }
}
