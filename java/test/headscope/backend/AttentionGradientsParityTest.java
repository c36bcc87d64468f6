package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of attention and its saliency on every backend, against the whole maps of {@link ReferenceGradients}. */
class AttentionGradientsParityTest {
    /** Results for the last queries of one text. */
    private record Results(
            float[] out, float[] logSumExp, float[] qGradient, float[] kGradient, float[] vGradient,
            Optional<SaliencyValues> saliency) {}

    private record SaliencyValues(
            float[] signed, float[] rows, float[] columns, float[] maximum, float[] groups,
            float[] pooledMaximum, float[] pooledMean, float[] maps) {
        static SaliencyValues of(Backend backend, AttentionSaliency saliency) {
            return new SaliencyValues(
                    backend.download(saliency.signed), backend.download(saliency.rows),
                    backend.download(saliency.columns), backend.download(saliency.maximum),
                    backend.download(saliency.groups), backend.download(saliency.pooledMaximum),
                    backend.download(saliency.pooledMean), backend.download(saliency.maps));
        }

        List<float[]> all() {
            return List.of(signed, rows, columns, maximum, groups, pooledMaximum, pooledMean, maps);
        }
    }

    private static Results results(
            Backend backend, AttentionCase one, int queries, Optional<AttentionSaliency.Request> request) {
        try (TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = one.spec(on);
            long tokens = one.tokens();
            long width = (long) one.heads() * one.headDim();
            long keyWidth = (long) one.kvHeads() * one.headDim();
            Tensor q = one.queries(on).rows(tokens - queries, queries);
            Tensor k = one.keys(on);
            Tensor v = one.values(on);
            Tensor gradient = on.tensor(one.outputGradients(), tokens, width).rows(tokens - queries, queries);
            Tensor out = on.unwritten(queries, width);
            Tensor logSumExp = on.unwritten(one.heads(), queries);
            backend.attention(out, logSumExp, q, k, v, Packing.of(q.intSize(0), k.intSize(0)), spec);
            Tensor qGradient = on.unwritten(queries, width);
            Tensor kGradient = on.unwritten(tokens, keyWidth);
            Tensor vGradient = on.unwritten(tokens, keyWidth);
            Optional<AttentionSaliency> saliency =
                    request.map(given -> on.saliency(one.heads(), one.tokens(), given));
            backend.gradients().attention(
                    qGradient, kGradient, vGradient, gradient, out, logSumExp, q, k, v,
                    Packing.of(q.intSize(0), k.intSize(0)), spec, List.of(saliency));
            return new Results(
                    backend.download(out), backend.download(logSumExp), backend.download(qGradient),
                    backend.download(kGradient), backend.download(vGradient), saliency.map(maps -> SaliencyValues.of(backend, maps)));
        }
    }

    /** Three groups and tokens without a group, pooled maps, and the whole map of the last head. */
    private static AttentionSaliency.Request request(AttentionCase one) {
        return new AttentionSaliency.Request(
                IntStream.range(0, one.tokens()).map(token -> token % 4 - 1).toArray(), 0,
                Math.min(one.tokens(), 7), List.of(one.heads() - 1));
    }

    private static AttentionSaliency.Request allMaps(AttentionCase one, int firstSource) {
        AttentionSaliency.Request some = request(one);
        return new AttentionSaliency.Request(
                some.groups(), firstSource, some.cells(), IntStream.range(0, one.heads()).boxed().toList());
    }

    /** Tolerances of the gradients of the last queries: the tolerance of each score, propagated like the gradients. */
    private record Bounds(
            double[] qGradient, double[] kGradient, double[] vGradient, double[] signed, double[][][] saliency) {
        static Bounds of(AttentionCase one, int queries) {
            int tokens = one.tokens();
            int headDim = one.headDim();
            int group = one.heads() / one.kvHeads();
            int before = tokens - queries;
            float[] q = one.queries();
            float[] k = one.keys();
            float[] g = one.outputGradients();
            double[] softmax = one.tolerance();
            // Of weights before a product, of outputs; smaller weights of F16 are rounded relative to the largest one.
            double rounding = Tolerance.rounding(one.operands());
            double least = one.operands() == DType.F16 ? 0x1p-30 : 0;
            float largestValue = Magnitude.largest(one.values());
            float largestKey = Magnitude.largest(k);
            double scale = 1 / Math.sqrt(headDim);
            Bounds bounds = new Bounds(
                    new double[queries * one.heads() * headDim], new double[k.length], new double[k.length],
                    new double[one.heads() * tokens], new double[one.heads()][tokens][tokens]);
            for (int head = 0; head < one.heads(); head++) {
                double[][] probs = probs(one, head);
                for (int i = before; i < tokens; i++) {
                    int row = (i * one.heads() + head) * headDim;
                    double magnitude = 0;
                    for (int d = 0; d < headDim; d++) {
                        magnitude += Math.abs(g[row + d]) * largestValue;
                    }
                    double moved = softmax[head * tokens + i];
                    double score = Tolerance.scoreGradient(moved, headDim, tokens, magnitude)
                            + Tolerance.sum(group * tokens, 2 * magnitude) + 3 * rounding * magnitude;
                    double value = moved + Tolerance.sum(group * tokens, 1) + rounding;
                    bounds.signed[head * tokens + i] = score;
                    for (int d = 0; d < headDim; d++) {
                        bounds.qGradient[row + d - before * one.heads() * headDim] = scale * score * largestKey;
                    }
                    for (int j = 0; j < tokens; j++) {
                        int key = (j * one.kvHeads() + head / group) * headDim;
                        bounds.saliency[head][i][j] =
                                probs[i][j] * Tolerance.saliency(moved, headDim, tokens, magnitude);
                        for (int d = 0; d < headDim; d++) {
                            bounds.kGradient[key + d] += scale * (probs[i][j] + least) * score * Math.abs(q[row + d]);
                            bounds.vGradient[key + d] += (probs[i][j] * value + least) * Math.abs(g[row + d]);
                        }
                    }
                }
            }
            return bounds;
        }

        private static double[][] probs(AttentionCase one, int head) {
            try (TensorScope on = new TensorScope(new Reference())) {
                return ReferenceAttention.map(
                        one.queries(on),
                        one.keys(on), one.spec(on), head);
            }
        }

        /** Compares a reduction of the saliency whose tolerance is the same reduction of the map's tolerance. */
        double[] of(AttentionSaliency.Request request, Function<ReferenceSaliency, double[]> field) {
            return Arrays.stream(saliency)
                    .map(map -> field.apply(new ReferenceSaliency(map, request)))
                    .flatMapToDouble(Arrays::stream)
                    .toArray();
        }
    }

    private static void compare(String what, Bounds bounds, Results expected, Results actual) {
        double none = Tolerance.formula(0);
        agree(what + ": q", expected.qGradient, actual.qGradient, i -> bounds.qGradient[i] + none);
        agree(what + ": k", expected.kGradient, actual.kGradient, i -> bounds.kGradient[i] + none);
        agree(what + ": v", expected.vGradient, actual.vGradient, i -> bounds.vGradient[i] + none);
    }

    private static void compareSaliency(
            String what, AttentionCase one, AttentionSaliency.Request request, Bounds bounds, SaliencyValues expected,
            SaliencyValues actual) {
        double none = Tolerance.formula(0);
        double[] rows = bounds.of(request, ReferenceSaliency::rows);
        double[] columns = bounds.of(request, ReferenceSaliency::columns);
        double[] maximum = bounds.of(request, ReferenceSaliency::maximum);
        double[] groups = bounds.of(request, ReferenceSaliency::groups);
        double[] pooledMaximum = bounds.of(request, ReferenceSaliency::pooledMaximum);
        double[] pooledMean = bounds.of(request, ReferenceSaliency::pooledMean);
        double[] maps = bounds.of(request, ReferenceSaliency::elements);
        agree(what + ": signed", expected.signed, actual.signed, i -> bounds.signed[i] + none);
        agree(what + ": rows", expected.rows, actual.rows, i -> rows[i] + none);
        agree(what + ": columns", expected.columns, actual.columns, i -> columns[i] + none);
        agree(what + ": maximum", expected.maximum, actual.maximum, i -> maximum[i] + none);
        agree(what + ": groups", expected.groups, actual.groups, i -> groups[i] + none);
        agree(what + ": pooled maximum", expected.pooledMaximum, actual.pooledMaximum, i -> pooledMaximum[i] + none);
        agree(what + ": pooled mean", expected.pooledMean, actual.pooledMean, i -> pooledMean[i] + none);
        agree(what + ": maps", expected.maps, actual.maps, i -> maps[i] + none);
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#all")
    void agrees(AttentionCase one) {
        agrees(one, allMaps(one, 0));
    }

    private static void agrees(AttentionCase one, AttentionSaliency.Request request) {
        for (String device : Devices.ALL) {
            agrees(device, () -> Devices.open(device), one, request);
        }
    }

    private static void agrees(
            String what, Supplier<Backend> device, AttentionCase one, AttentionSaliency.Request request) {
        Results expected = results(new Reference(), one, one.tokens(), Optional.of(request));
        Bounds bounds = Bounds.of(one, one.tokens());
        try (Backend backend = device.get()) {
            Results passed = results(backend, one, one.tokens(), Optional.of(request));
            compare(what, bounds, expected, passed);
            compareSaliency(what, one, request, bounds, expected.saliency.orElseThrow(), passed.saliency.orElseThrow());
            assertEquals(0, backend.liveBytes());
        }
    }

    /** From rounded inputs on tensor cores, the saliency is as exact as that of fp32. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesIn16Bits(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            agrees(type.name(), () -> Devices.emulated(type), one, allMaps(one, one.tokens() / 2));
        }
    }

    /** With warp groups. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#fewForHopper")
    void agreesOnHopper(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            agrees(type.name(), () -> Devices.emulatedHopper(type), one, allMaps(one, one.tokens() / 2));
        }
    }

    /** Sources from the second token on, from the middle of a tile on, and no sources. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesWithoutTheFirstSources(AttentionCase one) {
        for (int firstSource : new int[] {1, one.tokens() / 2 + 1, one.tokens()}) {
            agrees(one, allMaps(one, firstSource));
        }
    }

    /** Both forward passes give the same bits, and vectors do not depend on the request. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void resultsDoNotDependOnTheRequest(AttentionCase one) {
        int tokens = one.tokens();
        AttentionSaliency.Request vectors = AttentionSaliency.Request.vectors(tokens);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                Results all = results(backend, one, tokens, Optional.of(request(one)));
                Results some = results(backend, one, tokens, Optional.of(vectors));
                Results none = results(backend, one, tokens, Optional.empty());
                sameGradients(device, all, some);
                sameGradients(device, all, none);
                SaliencyValues saliency = some.saliency.orElseThrow();
                for (int field = 0; field < 4; field++) {
                    same(device + " field " + field, all.saliency.orElseThrow().all().get(field), saliency.all().get(field));
                }
                assertEquals(0, saliency.groups.length + saliency.pooledMean.length + saliency.maps.length);

                AttentionStatistics statistics = on.statistics(one.heads(), tokens);
                Tensor out = on.unwritten(tokens, (long) one.heads() * one.headDim());
                Tensor keys = on.tensor(one.keys(), tokens, (long) one.kvHeads() * one.headDim());
                backend.attention(
                        out, on.tensor(one.queries(), out.shape()), keys, on.tensor(one.values(), keys.shape()),
                                Packing.of(out.intSize(0), keys.intSize(0)),
                        one.spec(on), Optional.of(statistics));
                same(device + " output", on.backend.download(out), all.out);
                same(device + " log-sum-exp", on.backend.download(statistics.logSumExp), all.logSumExp);
            }
        }
    }

    private static void sameGradients(String what, Results expected, Results actual) {
        same(what + ": q", expected.qGradient, actual.qGradient);
        same(what + ": k", expected.kGradient, actual.kGradient);
        same(what + ": v", expected.vGradient, actual.vGradient);
    }

    /** Queries are the last tokens of the keys. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16})
    void agreesForTheLastQueries(int queries) {
        for (int window : new int[] {0, 9}) {
            AttentionCase one = new AttentionCase(33, 4, 2, 16, true, window, 0, true, Inputs.NORMAL);
            Results expected = results(new Reference(), one, queries, Optional.empty());
            Bounds bounds = Bounds.of(one, queries);
            for (String device : Devices.ALL) {
                try (Backend backend = Devices.open(device)) {
                    compare(device, bounds, expected, results(backend, one, queries, Optional.empty()));
                }
            }
        }
    }

    /** Texts longer than a tile, with cells whose borders differ from those of stripes. */
    @ParameterizedTest
    @CsvSource({"0, 0", "1100, 0", "0, 1", "1100, 1030"})
    void agreesOnLongTexts(int window, int firstSource) {
        AttentionCase one = new AttentionCase(2100, 2, 1, 4, true, window, 0, true, Inputs.NORMAL);
        AttentionSaliency.Request request = allMaps(one, firstSource);
        Results expected = results(new Reference(), one, one.tokens(), Optional.of(request));
        Bounds bounds = Bounds.of(one, one.tokens());
        try (Backend backend = Backend.open("cpu")) {
            Results passed = results(backend, one, one.tokens(), Optional.of(request));
            compare("cpu", bounds, expected, passed);
            compareSaliency("cpu", one, request, bounds, expected.saliency.orElseThrow(), passed.saliency.orElseThrow());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 130, 600})
    void bitsDoNotDependOnWorkersOrRuns(int tokens) {
        AttentionCase one = new AttentionCase(tokens, 6, 3, 16, true, 0, 0, true, Inputs.NORMAL);
        Results expected;
        try (Backend backend = new CheckedBackend(new CpuBackend(1))) {
            expected = results(backend, one, tokens, Optional.of(request(one)));
        }
        for (int workers = 1; workers <= 3; workers++) {
            try (Backend backend = new CheckedBackend(new CpuBackend(workers))) {
                for (int run = 0; run < 2; run++) {
                    Results passed = results(backend, one, tokens, Optional.of(request(one)));
                    sameGradients(workers + " workers", expected, passed);
                    for (int field = 0; field < expected.saliency.orElseThrow().all().size(); field++) {
                        same(workers + " workers: field " + field, expected.saliency.orElseThrow().all().get(field),
                                passed.saliency.orElseThrow().all().get(field));
                    }
                }
            }
        }
    }

    /**
     * All scores are equal, so a_ij = 1 / (i + 1). With v_j = 2 j and g_i = 1, dL/ds_ij = (2 j - i) / (i + 1), and the
     * value gradient of column j is sum_(i &gt;= j) 1 / (i + 1).
     */
    @Test
    void uniformAttention() {
        int tokens = 4;
        float[] ones = {1, 1, 1, 1};
        float[] zeros = new float[tokens];
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                AttentionSpec spec = AttentionSpec.plain(1, 1, 1, true);
                Tensor q = on.tensor(ones, tokens, 1);
                Tensor k = on.tensor(zeros, tokens, 1);
                Tensor v = on.tensor(new float[] {0, 2, 4, 6}, tokens, 1);
                Tensor out = on.unwritten(tokens, 1);
                Tensor logSumExp = on.unwritten(1, tokens);
                backend.attention(out, logSumExp, q, k, v, Packing.of(q.intSize(0), k.intSize(0)), spec);
                Tensor qGradient = on.unwritten(tokens, 1);
                Tensor kGradient = on.unwritten(tokens, 1);
                Tensor vGradient = on.unwritten(tokens, 1);
                AttentionSaliency saliency =
                        on.saliency(1, tokens, new AttentionSaliency.Request(new int[] {0, 0, 1, -1}, 0, 2, List.of(0)));
                backend.gradients().attention(
                        qGradient, kGradient, vGradient, on.tensor(ones, tokens, 1), out, logSumExp, q, k, v,
                                Packing.of(q.intSize(0), k.intSize(0)), spec, List.of(Optional.of(saliency)));
                double tolerance = Tolerance.softmax(1, tokens, 6) * 6;
                agree("q", zeros, on.backend.download(qGradient), i -> tolerance);
                agree("k", new float[] {
                    -1 / 2f - 2 / 3f - 3 / 4f, 1 / 2f - 1 / 4f, 2 / 3f + 1 / 4f, 3 / 4f
                }, on.backend.download(kGradient), i -> tolerance);
                agree("v", new float[] {
                    1 + 1 / 2f + 1 / 3f + 1 / 4f, 1 / 2f + 1 / 3f + 1 / 4f, 1 / 3f + 1 / 4f, 1 / 4f
                }, on.backend.download(vGradient), i -> tolerance);
                agree("signed", new float[] {0, 1, 2, 3}, on.backend.download(saliency.signed), i -> tolerance);
                agree("rows", new float[] {0, 1, 2, 3}, on.backend.download(saliency.rows), i -> tolerance);
                agree("columns", new float[] {0, 1 + 2 / 3f + 1 / 2f, 4 / 3f + 1, 3 / 2f},
                        on.backend.download(saliency.columns), i -> tolerance);
                agree("maximum", new float[] {0, 1, 4 / 3f, 3 / 2f}, on.backend.download(saliency.maximum), i -> tolerance);
                agree("groups", new float[] {0, 0, 1, 0, 2 / 3f, 4 / 3f, 1 / 2f, 1},
                        on.backend.download(saliency.groups), i -> tolerance);
                agree("pooled maximum", new float[] {1, 0, 2 / 3f, 3 / 2f},
                        on.backend.download(saliency.pooledMaximum), i -> tolerance);
                agree("pooled mean", new float[] {
                    1 / 4f, 0, (2 / 3f + 1 / 2f) / 4, (4 / 3f + 1 + 3 / 2f) / 4
                }, on.backend.download(saliency.pooledMean), i -> tolerance);
                agree("map", new float[] {
                    0, 0, 0, 0, 0, 1, 0, 0, 0, 2 / 3f, 4 / 3f, 0, 0, 1 / 2f, 1, 3 / 2f
                }, on.backend.download(saliency.maps), i -> tolerance);
            }
        }
    }

    /** With equal keys and values, the gradients of queries and keys are 0. */
    @Test
    void equalKeysAndValues() {
        AttentionCase one = new AttentionCase(70, 2, 2, 4, false, 0, 0, false, Inputs.CONSTANT);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                Results passed = results(backend, one, 70, Optional.of(request(one)));
                double tolerance = Tolerance.scoreGradient(Tolerance.softmax(4, 70, 3), 4, 70, 4 * 0.75 * 0.75);
                agree(device + " q", new float[70 * 8], passed.qGradient, i -> tolerance);
                agree(device + " k", new float[70 * 8], passed.kGradient, i -> 2 * tolerance);
            }
        }
    }

    /** The gradient of a head's factor is the sum of its signed rows: both are sum_i g_i . o_i. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void factorOfAHead(AttentionCase one) {
        long width = (long) one.heads() * one.headDim();
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                Results passed = results(backend, one, one.tokens(), Optional.of(request(one)));
                Tensor factors = on.unwritten(1, one.heads());
                float[] gradient = one.outputGradients();
                backend.gradients().scaleHeads(
                        factors, on.tensor(gradient, one.tokens(), width), on.tensor(passed.out, one.tokens(), width),
                        RowRanges.all(one.tokens()));
                float[] sums = new float[one.heads()];
                double[] magnitudes = new double[one.heads()];
                for (int i = 0; i < gradient.length; i++) {
                    magnitudes[i % (int) width / one.headDim()] += Math.abs(gradient[i] * passed.out[i]);
                }
                for (int head = 0; head < one.heads(); head++) {
                    double sum = 0;
                    for (int i = 0; i < one.tokens(); i++) {
                        sum += passed.saliency.orElseThrow().signed[head * one.tokens() + i];
                    }
                    sums[head] = (float) sum;
                }
                agree(device, sums, on.backend.download(factors),
                        head -> Tolerance.sum(one.tokens() * one.headDim(), magnitudes[head]));
            }
        }
    }

    @Test
    void saliencyIsNeitherZeroNorOne() {
        AttentionCase one = new AttentionCase(33, 2, 1, 16, true, 0, 0, false, Inputs.NORMAL);
        Results expected = results(new Reference(), one, 33, Optional.of(request(one)));
        for (float[] field : expected.saliency.orElseThrow().all()) {
            assertTrue(Magnitude.largest(field) > 1e-2);
        }
    }
}
