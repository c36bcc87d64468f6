package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.cpu.CpuBackend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention and all that is observed of it, on every backend, against {@link Reference}'s whole maps. */
class AttentionParityTest {
    /** Whatever attention gives for one text. */
    private record Seen(
            float[] out, float[] logSumExp, float[] logDiagonal, double[] columnSum, float[] entropy, float[] maximum,
            float[] previous, float[] distance, LayerResult metrics) {}

    /** The text in pieces, as prefill and decoding give it; without values the output stays empty. */
    private static Seen observe(Backend backend, AttentionCase one, boolean output, int... pieces) {
        try (Operands on = new Operands(backend)) {
            AttentionSpec spec = one.spec(on);
            long width = (long) one.heads() * one.headDim();
            long keyWidth = (long) one.kvHeads() * one.headDim();
            Tensor q = on.tensor(one.queries(), one.tokens(), width);
            Tensor k = on.operand(one.keys(), one.tokens(), keyWidth);
            Tensor v = on.operand(one.values(), one.tokens(), keyWidth);
            Tensor out = on.unwritten(one.tokens(), width);
            // Room to spare, so that a row's length and its stride differ.
            AttentionStatistics statistics = on.statistics(one.heads(), one.tokens() + 3);
            int seen = 0;
            for (int count : pieces) {
                Tensor rows = q.rows(seen, count);
                Tensor keys = k.rows(0, seen + count);
                if (output) {
                    backend.attention(
                            out.rows(seen, count), rows, keys, v.rows(0, seen + count), spec, Optional.of(statistics));
                } else {
                    backend.attentionStatistics(rows, keys, spec, statistics);
                }
                seen += count;
            }
            assertEquals(one.tokens(), statistics.tokens());
            return new Seen(
                    output ? on.floats(out) : new float[0], perToken(on, statistics.logSumExp, one),
                    perToken(on, statistics.logDiagonal, one), columnSums(on, statistics, one),
                    perToken(on, statistics.entropy, one), perToken(on, statistics.maximum, one),
                    perToken(on, statistics.previous, one), perToken(on, statistics.distance, one),
                    backend.measure(metrics(one), statistics, spec));
        }
    }

    private static List<Metric> metrics(AttentionCase one) {
        return Metric.all(Metric.ALL).stream()
                .filter(metric -> !(metric instanceof Metric.Symmetric) && (one.causal() || !metric.causalOnly()))
                .toList();
    }

    /** [heads, capacity] -> [heads, tokens]. */
    private static float[] perToken(Operands on, Tensor tensor, AttentionCase one) {
        float[] all = on.floats(tensor);
        float[] seen = new float[one.heads() * one.tokens()];
        for (int head = 0; head < one.heads(); head++) {
            System.arraycopy(all, head * tensor.intSize(1), seen, head * one.tokens(), one.tokens());
        }
        return seen;
    }

    private static double[] columnSums(Operands on, AttentionStatistics statistics, AttentionCase one) {
        double[] all = on.doubles(statistics.columnSum);
        double[] seen = new double[one.heads() * one.tokens()];
        for (int head = 0; head < one.heads(); head++) {
            System.arraycopy(all, head * statistics.capacity(), seen, head * one.tokens(), one.tokens());
        }
        return seen;
    }

    private static void compare(String what, AttentionCase one, Seen expected, Seen actual) {
        double[] softmax = one.tolerance();
        int width = one.heads() * one.headDim();
        float largestValue = largest(one.values());
        agree(what + ": output", expected.out, actual.out,
                i -> (softmax[i % width / one.headDim() * one.tokens() + i / width] + Tolerance.rounding(one.operands()))
                        * largestValue + Tolerance.sum(one.tokens(), largestValue));
        agree(what + ": log-sum-exp", expected.logSumExp, actual.logSumExp,
                i -> softmax[i] + Tolerance.formula(Math.abs(expected.logSumExp[i])));
        agree(what + ": log diagonal", expected.logDiagonal, actual.logDiagonal,
                i -> softmax[i] + Tolerance.formula(Math.abs(expected.logDiagonal[i])));
        agree(what + ": entropy", expected.entropy, actual.entropy,
                i -> Tolerance.entropy(softmax[i], expected.entropy[i]));
        agree(what + ": maximum", expected.maximum, actual.maximum,
                i -> softmax[i] * expected.maximum[i] + Tolerance.formula(0));
        agree(what + ": previous", expected.previous, actual.previous,
                i -> softmax[i] * expected.previous[i] + Tolerance.formula(0));
        agree(what + ": distance", expected.distance, actual.distance,
                i -> softmax[i] * expected.distance[i] + Tolerance.formula(one.reach()));
        double[] columns = columnTolerance(one, softmax, expected.columnSum);
        agree(what + ": column sum", expected.columnSum, actual.columnSum, i -> columns[i / one.tokens()]);
        double worst = DoubleStream.of(softmax).max().orElseThrow();
        for (Metric metric : metrics(one)) {
            for (int head = 0; head < one.heads(); head++) {
                double[] values = expected.metrics.of(metric)[head];
                agree("%s: %s of head %d".formatted(what, metric.key(), head), values,
                        actual.metrics.of(metric)[head], i -> Tolerance.metric(metric, worst, one.reach(), values[i]));
            }
        }
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    /** Of each head: what all rows of a column may add, no column being larger than all of them. */
    private static double[] columnTolerance(AttentionCase one, double[] softmax, double[] sums) {
        double[] tolerance = new double[one.heads()];
        for (int head = 0; head < one.heads(); head++) {
            double worst = 0;
            double largest = 0;
            for (int i = head * one.tokens(); i < (head + 1) * one.tokens(); i++) {
                worst = Math.max(worst, softmax[i]);
                largest = Math.max(largest, sums[i]);
            }
            tolerance[head] = worst * largest + Tolerance.formula(0);
        }
        return tolerance;
    }

    private static Seen expected(AttentionCase one) {
        return observe(new Reference(), one, true, one.tokens());
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#all")
    void agrees(AttentionCase one) {
        Seen expected = expected(one);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                Seen seen = observe(backend, one, true, one.tokens());
                compare(device, one, expected, seen);
                sameStatistics(device, one, seen, observe(backend, one, false, one.tokens()));
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** From rounded numbers on tensor cores: statistics as exact as those of fp32. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesIn16Bits(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            Seen expected = expected(one);
            int[] rows = new int[one.causal() ? one.tokens() : 0];
            Arrays.fill(rows, 1);
            try (Backend backend = Devices.emulated(type)) {
                Seen seen = observe(backend, one, true, one.tokens());
                compare(type.name(), one, expected, seen);
                sameStatistics(type.name(), one, seen, observe(backend, one, false, one.tokens()));
                if (one.causal()) {
                    compare(type + " row by row", one, expected, observe(backend, one, true, rows));
                }
                double[] softmax = one.tolerance();
                for (int head = 0; head < one.heads(); head++) {
                    int at = head * one.tokens();
                    float[] map = map(new Reference(), one, head);
                    agree(type + " map of head " + head, map, map(backend, one, head),
                            i -> softmax[at + i / one.tokens()] * map[i] + Tolerance.formula(0));
                }
                int cells = Math.min(one.tokens(), 3);
                compare(type.name(), one, cells(new Reference(), one, cells), cells(backend, one, cells));
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** With or without values: the very same statistics. */
    private static void sameStatistics(String what, AttentionCase one, Seen expected, Seen actual) {
        same(what + ": log-sum-exp", expected.logSumExp, actual.logSumExp);
        same(what + ": log diagonal", expected.logDiagonal, actual.logDiagonal);
        same(what + ": column sum", expected.columnSum, actual.columnSum);
        same(what + ": entropy", expected.entropy, actual.entropy);
        same(what + ": maximum", expected.maximum, actual.maximum);
        same(what + ": previous", expected.previous, actual.previous);
        same(what + ": distance", expected.distance, actual.distance);
        for (Metric metric : metrics(one)) {
            for (int head = 0; head < one.heads(); head++) {
                same(what + ": " + metric.key(), expected.metrics.of(metric)[head], actual.metrics.of(metric)[head]);
            }
        }
    }

    /** Prefill and decoding, row by row or in pieces, see what one pass sees. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#fewCausal")
    void agreesInPieces(AttentionCase one) {
        Seen expected = expected(one);
        int tokens = one.tokens();
        int[] rows = new int[tokens];
        Arrays.fill(rows, 1);
        int prompt = (tokens + 1) / 2;
        int[] decoded = new int[1 + tokens - prompt];
        Arrays.fill(decoded, 1);
        decoded[0] = prompt;
        int[] chunks = tokens < 3 ? rows : new int[] {tokens / 3, 1, tokens - tokens / 3 - 1};
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                compare(device + " row by row", one, expected, observe(backend, one, true, rows));
                compare(device + " prefill and decoding", one, expected, observe(backend, one, true, decoded));
                compare(device + " in chunks", one, expected, observe(backend, one, true, chunks));
            }
        }
    }

    /** A long prompt, cut where stripes and blocks are, and continued. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void agreesInPiecesWhereTheTextIsLong(int window) {
        AttentionCase one = new AttentionCase(1100, 2, 1, 16, true, window, 0, true, Inputs.NORMAL);
        Seen expected = expected(one);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                compare(device + " in chunks", one, expected, observe(backend, one, true, 513, 64, 1, 519, 2, 1));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void mapAndSpectrumAgree(AttentionCase one) {
        Seen statistics = expected(one);
        double[] softmax = one.tolerance();
        double worst = DoubleStream.of(softmax).max().orElseThrow();
        double[][] spectrum = spectrum(new Reference(), one);
        boolean[] drained = new boolean[one.heads()];
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                for (int head = 0; head < one.heads(); head++) {
                    int at = head;
                    float[] expected = map(new Reference(), one, head);
                    float[] map = map(backend, one, head);
                    agree(device + " map of head " + head, expected, map, i ->
                            softmax[at * one.tokens() + i / one.tokens()] * expected[i] + Tolerance.formula(0));
                    rowsAreDistributions(one, map, head, statistics);
                    drained[head] = drained(one, expected);
                }
                double[][] actual = spectrum(backend, one);
                for (int head = 0; head < one.heads(); head++) {
                    if (!drained[head]) {
                        agree(device + " spectrum of head " + head, spectrum[head], actual[head],
                                i -> Tolerance.eigenvalue(worst, one.tokens()));
                    }
                }
            }
        }
    }

    /** All heads' [cells, cells]. */
    private record Cells(float[] maximum, float[] mean) {}

    private static Cells cells(Backend backend, AttentionCase one, int cells) {
        try (Operands on = new Operands(backend)) {
            Tensor maximum = on.unwritten(one.heads(), cells, cells);
            Tensor mean = on.unwritten(one.heads(), cells, cells);
            backend.attentionCells(maximum, mean,
                    on.tensor(one.queries(), one.tokens(), (long) one.heads() * one.headDim()),
                    on.operand(one.keys(), one.tokens(), (long) one.kvHeads() * one.headDim()), one.spec(on));
            return new Cells(on.floats(maximum), on.floats(mean));
        }
    }

    /** No element of a head is further off than its worst row; a mean is a sum besides. */
    private static void compare(String what, AttentionCase one, Cells expected, Cells actual) {
        int ofHead = expected.mean.length / one.heads();
        double[] softmax = one.tolerance();
        double[] worst = IntStream.range(0, one.heads())
                .mapToDouble(head -> Arrays.stream(softmax, head * one.tokens(), (head + 1) * one.tokens())
                        .max().orElseThrow())
                .toArray();
        agree(what + ": largest of cells", expected.maximum, actual.maximum,
                i -> worst[i / ofHead] * expected.maximum[i] + Tolerance.formula(0));
        agree(what + ": mean of cells", expected.mean, actual.mean,
                i -> worst[i / ofHead] * expected.mean[i] + Tolerance.sum(2 * one.tokens(), expected.mean[i]));
    }

    /** One cell, three, mostly uneven, and one for each pair of tokens. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void cellsAgree(AttentionCase one) {
        for (int cells : new int[] {1, Math.min(3, one.tokens()), one.tokens()}) {
            Cells expected = cells(new Reference(), one, cells);
            for (String device : Devices.ALL) {
                try (Backend backend = Devices.open(device)) {
                    compare(device, one, expected, cells(backend, one, cells));
                    assertEquals(0, backend.liveBytes());
                }
            }
        }
    }

    /** Cells that stripes of rows must not cut. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void cellsAgreeWhereTheTextIsLong(int window) {
        AttentionCase one = new AttentionCase(1100, 2, 1, 16, true, window, 0, true, Inputs.NORMAL);
        Cells expected = cells(new Reference(), one, 7);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                compare(device, one, expected, cells(backend, one, 7));
            }
        }
    }

    /** Seven tokens in cells of 3, 2 and 2; all scores are 0, and so is the sink's. */
    @Test
    void cellsOfUniformAttention() {
        double[][] causal = {
            {1, 0, 0, 1 / 4., 1 / 4., 0, 1 / 6., 1 / 6., 1 / 6.},
            {1 / 3., 0, 0, 9 / 40., 13 / 80., 0, 13 / 84., 13 / 84., 19 / 168.}
        };
        double[] seventh = new double[9];
        double[] eighth = new double[9];
        Arrays.fill(seventh, 1 / 7.);
        Arrays.fill(eighth, 1 / 8.);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); Operands on = new Operands(backend)) {
                uniform(on, AttentionSpec.plain(1, 1, 2, true), causal);
                uniform(on, AttentionSpec.plain(1, 1, 2, false), new double[][] {seventh, seventh});
                Tensor sink = on.tensor(new float[1], 1);
                uniform(on, new AttentionSpec(1, 1, 2, 1, false, 0, 0, Optional.of(sink)),
                        new double[][] {eighth, eighth});
            }
        }
    }

    /** @param expected maximum and mean */
    private static void uniform(Operands on, AttentionSpec spec, double[][] expected) {
        Tensor zeros = on.tensor(new float[14], 7, 2);
        Tensor maximum = on.unwritten(1, 3, 3);
        Tensor mean = on.unwritten(1, 3, 3);
        on.backend.attentionCells(maximum, mean, zeros, zeros, spec);
        float[][] actual = {on.floats(maximum), on.floats(mean)};
        for (int of = 0; of < 2; of++) {
            for (int cell = 0; cell < 9; cell++) {
                double value = expected[of][cell];
                assertEquals(value, actual[of][cell], Tolerance.sum(14, value), on.backend.describe() + " cell " + cell);
            }
        }
    }

    /** Whether a row vanishes into the sink: its degree, which the graph is divided by, is then rounding alone. */
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

    private static float[] map(Backend backend, AttentionCase one, int head) {
        try (Operands on = new Operands(backend)) {
            Tensor map = on.unwritten(one.tokens(), one.tokens());
            backend.attentionMap(map, on.tensor(one.queries(), one.tokens(), (long) one.heads() * one.headDim()),
                    on.operand(one.keys(), one.tokens(), (long) one.kvHeads() * one.headDim()), one.spec(on), head);
            return on.floats(map);
        }
    }

    private static double[][] spectrum(Backend backend, AttentionCase one) {
        try (Operands on = new Operands(backend)) {
            return backend.symmetricSpectrum(
                    on.tensor(one.queries(), one.tokens(), (long) one.heads() * one.headDim()),
                    on.tensor(one.keys(), one.tokens(), (long) one.kvHeads() * one.headDim()), one.spec(on));
        }
    }

    /** Nothing above the diagonal nor outside the window; what is left sums to one, less what the sink took. */
    private static void rowsAreDistributions(AttentionCase one, float[] map, int head, Seen statistics) {
        int tokens = one.tokens();
        double[] tolerance = one.tolerance();
        double sink = one.sinks() ? one.sinkScores()[head] : Double.NEGATIVE_INFINITY;
        for (int i = 0; i < tokens; i++) {
            double sum = 0;
            for (int j = 0; j < tokens; j++) {
                float p = map[i * tokens + j];
                boolean hidden = one.causal() && (j > i || one.window() > 0 && j <= i - one.window());
                assertTrue(hidden ? p == 0 : p >= 0, () -> one + Seed.reproduce());
                sum += p;
            }
            double drained = Math.exp(sink - statistics.logSumExp[head * tokens + i]);
            assertEquals(1 - drained, sum, tolerance[head * tokens + i], () -> one + Seed.reproduce());
        }
    }

    /** The last queries of a text have maps, too. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16})
    void mapOfTheLastQueries(int queries) {
        AttentionCase one = new AttentionCase(33, 4, 2, 16, true, 9, 0, false, Inputs.NORMAL);
        float[] whole = map(new Reference(), one, 3);
        try (Backend backend = Backend.open("cpu"); Operands on = new Operands(backend)) {
            Tensor q = on.tensor(one.queries(), 33, 64).rows(33 - queries, queries);
            Tensor map = on.unwritten(queries, 33);
            backend.attentionMap(map, q, on.tensor(one.keys(), 33, 32), one.spec(on), 3);
            float[] expected = Arrays.copyOfRange(whole, (33 - queries) * 33, 33 * 33);
            double worst = DoubleStream.of(one.tolerance()).max().orElseThrow();
            agree("map", expected, on.floats(map), i -> worst * expected[i] + Tolerance.formula(0));
        }
    }

    /** The same bits again, and whatever the number of workers. */
    @ParameterizedTest
    @ValueSource(ints = {7, 130, 600})
    void repeatsToTheBit(int tokens) {
        AttentionCase one = new AttentionCase(tokens, 3, 1, 16, true, 0, 0, true, Inputs.NORMAL);
        Seen expected;
        Cells cells;
        try (Backend backend = new CheckedBackend(new CpuBackend(1))) {
            expected = observe(backend, one, true, tokens);
            cells = cells(backend, one, 7);
        }
        for (int workers = 1; workers <= 3; workers++) {
            try (Backend backend = new CheckedBackend(new CpuBackend(workers))) {
                for (int run = 0; run < 2; run++) {
                    Seen seen = observe(backend, one, true, tokens);
                    sameStatistics(workers + " workers", one, expected, seen);
                    same(workers + " workers: output", expected.out, seen.out);
                    Cells pooled = cells(backend, one, 7);
                    same(workers + " workers: largest of cells", cells.maximum, pooled.maximum);
                    same(workers + " workers: mean of cells", cells.mean, pooled.mean);
                }
            }
        }
    }
}
