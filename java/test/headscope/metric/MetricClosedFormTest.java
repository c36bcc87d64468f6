package headscope.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.Packing;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every metric on heads with known maps, by the formulas of docs/metrics.md. Zero queries and keys give uniform heads;
 * one-hot vectors of length {@value #LENGTH}, whose scores are 256 or 0, give heads that attend to one token, because
 * exp(-256) is 0 in fp32.
 */
class MetricClosedFormTest {
    private static final int LENGTH = 16;
    private static final double SCORE = LENGTH * LENGTH;

    /** Index of the nonzero element of a query or key; negative for the zero vector. */
    private interface Direction {
        int of(int token);
    }

    private static final Direction ZERO = token -> -1;

    private record Head(int tokens, Direction query, Direction key, boolean causal, int window, boolean sink) {
        Head(int tokens, Direction query, Direction key) {
            this(tokens, query, key, true, 0, false);
        }
    }

    private static Head uniform(int tokens) {
        return new Head(tokens, ZERO, ZERO);
    }

    private static double[] measure(Head head, Metric metric) {
        int tokens = head.tokens();
        try (Backend backend = Backend.open("cpu");
                AttentionStatistics statistics = new AttentionStatistics(backend, 1, tokens)) {
            Tensor q = units(backend, tokens, head.query());
            Tensor k = units(backend, tokens, head.key());
            Tensor sink = backend.allocate(DType.F32, 1);
            AttentionSpec spec = new AttentionSpec(1, 1, tokens, 1, head.causal(), head.window(), 0,
                    head.sink() ? Optional.of(sink) : Optional.empty());
            if (metric instanceof Metric.Symmetric symmetric) {
                return new double[] {symmetric.of(backend.symmetricSpectrum(q, k,
                        Packing.of(q.intSize(0), k.intSize(0)), spec).getFirst()[0])};
            }
            backend.attentionStatistics(q, k, Packing.of(q.intSize(0), k.intSize(0)), spec, statistics);
            return backend.measure(List.of(metric), statistics, spec).getFirst().of(metric)[0];
        }
    }

    private static Tensor units(Backend backend, int tokens, Direction direction) {
        float[] values = new float[tokens * tokens];
        for (int i = 0; i < tokens; i++) {
            if (direction.of(i) >= 0) {
                values[i * tokens + direction.of(i)] = LENGTH;
            }
        }
        Tensor tensor = backend.allocate(DType.F32, tokens, tokens);
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }

    /** @param expected empty for metrics without a closed form */
    private static void check(Head head, Function<Metric, double[]> expected) {
        for (Metric metric : Metric.all(Metric.ALL)) {
            if (!head.causal() && metric.causalOnly()) {
                continue;
            }
            double[] wanted = expected.apply(metric);
            if (wanted.length == 0) {
                continue;
            }
            double[] found = measure(head, metric);
            String what = metric.key() + " of " + head.tokens() + " tokens";
            assertEquals(wanted.length, found.length, what);
            double largest = Arrays.stream(wanted).map(Math::abs).max().orElseThrow();
            for (int i = 0; i < wanted.length; i++) {
                if (Double.isNaN(wanted[i])) {
                    assertTrue(Double.isNaN(found[i]), what + " is " + found[i]);
                    continue;
                }
                // Values are means of T sums of up to T equal terms.
                double tolerance = Tolerance.sum(head.tokens(), Math.max(1, largest));
                assertEquals(wanted[i], found[i], tolerance, what + " at " + i);
            }
        }
    }

    private static double[] one(double value) {
        return new double[] {value};
    }

    private static final double[] NO_CLOSED_FORM = {};

    private static double harmonic(int n) {
        return IntStream.rangeClosed(1, n).mapToDouble(i -> 1.0 / i).sum();
    }

    private static double logFactorial(int n) {
        return IntStream.rangeClosed(1, n).mapToDouble(Math::log).sum();
    }

    private static double[] falling(int tokens, IntToDoubleFunction value) {
        double[] rising = IntStream.range(0, tokens).mapToDouble(value).sorted().toArray();
        return IntStream.range(0, tokens).mapToDouble(i -> rising[tokens - 1 - i]).toArray();
    }

    private static double entropy(double... eigenvalues) {
        double total = Arrays.stream(eigenvalues).sum();
        return DoubleStream.of(eigenvalues).filter(mu -> mu > 0).map(mu -> -mu / total * Math.log(mu / total)).sum();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 17, 64})
    void uniformHead(int tokens) {
        double sum = harmonic(tokens);
        check(uniform(tokens), metric -> switch (metric) {
            case Metric.AttentionScore m -> one(-logFactorial(tokens) / tokens);
            case Metric.LaplacianEigenvalues m ->
                    falling(tokens, i -> (sum - harmonic(i)) / (tokens - i) - 1.0 / (i + 1));
            case Metric.AttentionEigenvalues m -> falling(tokens, i -> 1.0 / (i + 1));
            case Metric.Entropy m -> one(logFactorial(tokens) / tokens);
            case Metric.NormalisedEntropy m -> one(tokens == 1 ? Double.NaN : 1);
            case Metric.SinkShare m -> one(sum / tokens);
            case Metric.MeanDistance m -> one((tokens - 1) / 4.0);
            case Metric.PreviousToken m -> one(tokens == 1 ? Double.NaN : (sum - 1) / (tokens - 1));
            case Metric.SelfAttention m -> one(sum / tokens);
            case Metric.Confidence m -> one(sum / tokens);
            case Metric.FiedlerValue m -> tokens == 1 ? one(Double.NaN) : tokens == 2 ? one(8.0 / 15) : NO_CLOSED_FORM;
            case Metric.LargestEigenvalue m ->
                    tokens == 1 ? one(Double.NaN) : tokens == 2 ? one(8.0 / 15) : NO_CLOSED_FORM;
            case Metric.SpectralEntropy m -> tokens == 1 ? one(Double.NaN) : tokens == 2 ? one(0) : NO_CLOSED_FORM;
        });
    }

    /** The last column of the table in docs/metrics.md, to its printed digits. */
    @Test
    void uniformHeadOf64Tokens() {
        double[] laplacian = measure(uniform(64), new Metric.LaplacianEigenvalues(Metric.ALL));
        assertEquals(-0.9259, laplacian[63], Tolerance.FOUR_DECIMALS);
        for (Metric metric : Metric.all(1)) {
            double printed = switch (metric) {
                case Metric.AttentionScore m -> -3.2058;
                case Metric.LaplacianEigenvalues m -> 0;
                case Metric.AttentionEigenvalues m -> 1;
                case Metric.Entropy m -> 3.2058;
                case Metric.NormalisedEntropy m -> 1;
                case Metric.SinkShare m -> 0.0741;
                case Metric.MeanDistance m -> 15.75;
                case Metric.PreviousToken m -> 0.0594;
                case Metric.SelfAttention m -> 0.0741;
                case Metric.Confidence m -> 0.0741;
                case Metric.FiedlerValue m -> 0.5787;
                case Metric.LargestEigenvalue m -> 0.9845;
                case Metric.SpectralEntropy m -> 4.1409;
            };
            assertEquals(printed, measure(uniform(64), metric)[0], Tolerance.FOUR_DECIMALS, metric.key());
        }
    }

    /** The map [[1, 0], [1/2, 1/2]]; at most T values, in descending order. */
    @Test
    void twoTokensByHand() {
        assertEquals(0, measure(uniform(2), new Metric.LaplacianEigenvalues(1))[0], Tolerance.formula(1));
        double[] both = measure(uniform(2), new Metric.LaplacianEigenvalues(10));
        assertEquals(2, both.length);
        assertEquals(0, both[0], Tolerance.formula(1));
        assertEquals(-0.25, both[1], Tolerance.formula(1));
        assertEquals(1, measure(uniform(2), new Metric.AttentionEigenvalues(1)).length);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 17, 64})
    void headThatAttendsToItself(int tokens) {
        boolean alone = tokens == 1;
        check(new Head(tokens, i -> i, i -> i), metric -> switch (metric) {
            case Metric.AttentionScore m -> one(0);
            case Metric.LaplacianEigenvalues m -> falling(tokens, i -> 1.0 / (tokens - i) - 1);
            case Metric.AttentionEigenvalues m -> falling(tokens, i -> 1);
            case Metric.Entropy m -> one(0);
            case Metric.NormalisedEntropy m -> one(alone ? Double.NaN : 0);
            case Metric.SinkShare m -> one(1.0 / tokens);
            case Metric.MeanDistance m -> one(0);
            case Metric.PreviousToken m -> one(alone ? Double.NaN : 0);
            case Metric.SelfAttention m -> one(1);
            case Metric.Confidence m -> one(1);
            case Metric.FiedlerValue m -> one(alone ? Double.NaN : 0);
            case Metric.LargestEigenvalue m -> one(alone ? Double.NaN : 0);
            case Metric.SpectralEntropy m -> one(Double.NaN);
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 17, 64})
    void headThatAttendsToThePreviousToken(int tokens) {
        Head head = new Head(tokens, i -> Math.max(0, i - 1), i -> i);
        check(head, metric -> switch (metric) {
            case Metric.AttentionScore m -> one(-SCORE * (tokens - 1) / tokens);
            case Metric.LaplacianEigenvalues m -> falling(tokens,
                    i -> i == 0 ? 2.0 / tokens - 1 : i == tokens - 1 ? 0 : 1.0 / (tokens - i));
            case Metric.AttentionEigenvalues m -> falling(tokens, i -> i == 0 ? 1 : 0);
            case Metric.Entropy m -> one(0);
            case Metric.NormalisedEntropy m -> one(0);
            case Metric.SinkShare m -> one(2.0 / tokens);
            case Metric.MeanDistance m -> one((tokens - 1.0) / tokens);
            case Metric.PreviousToken m -> one(1);
            case Metric.SelfAttention m -> one(1.0 / tokens);
            case Metric.Confidence m -> one(1);
            case Metric.FiedlerValue m -> tokens == 2 ? one(4.0 / 3) : NO_CLOSED_FORM;
            case Metric.LargestEigenvalue m -> tokens == 2 ? one(4.0 / 3) : NO_CLOSED_FORM;
            case Metric.SpectralEntropy m -> tokens == 2 ? one(0) : NO_CLOSED_FORM;
        });
    }

    /** A star with a loop at its centre: mu = 0, 1 (T - 2 times), 2 T / (T + 1). */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 17, 64})
    void headThatAttendsToTheFirstToken(int tokens) {
        double largest = 2.0 * tokens / (tokens + 1);
        double[] spectrum = new double[tokens];
        Arrays.fill(spectrum, 1);
        spectrum[0] = 0;
        spectrum[tokens - 1] = largest;
        check(new Head(tokens, i -> 0, i -> i == 0 ? 0 : -1), metric -> switch (metric) {
            case Metric.AttentionScore m -> one(-SCORE * (tokens - 1) / tokens);
            case Metric.LaplacianEigenvalues m -> falling(tokens, i -> 0);
            case Metric.AttentionEigenvalues m -> falling(tokens, i -> i == 0 ? 1 : 0);
            case Metric.Entropy m -> one(0);
            case Metric.NormalisedEntropy m -> one(0);
            case Metric.SinkShare m -> one(1);
            case Metric.MeanDistance m -> one((tokens - 1) / 2.0);
            case Metric.PreviousToken m -> one(1.0 / (tokens - 1));
            case Metric.SelfAttention m -> one(1.0 / tokens);
            case Metric.Confidence m -> one(1);
            case Metric.FiedlerValue m -> one(spectrum[1]);
            case Metric.LargestEigenvalue m -> one(largest);
            case Metric.SpectralEntropy m -> one(entropy(spectrum));
        });
    }

    /** The complete graph: mu = 0, 1 (T - 1 times). */
    @ParameterizedTest
    @ValueSource(ints = {2, 17, 64})
    void uniformBidirectionalHead(int tokens) {
        check(new Head(tokens, ZERO, ZERO, false, 0, false), metric -> switch (metric) {
            case Metric.AttentionScore m -> one(-Math.log(tokens));
            case Metric.Spectrum m -> throw new AssertionError("of triangular maps only");
            case Metric.Entropy m -> one(Math.log(tokens));
            case Metric.NormalisedEntropy m -> one(1);
            case Metric.SinkShare m -> one(1.0 / tokens);
            case Metric.MeanDistance m -> one(((double) tokens * tokens - 1) / (3.0 * tokens));
            case Metric.PreviousToken m -> one(1.0 / tokens);
            case Metric.SelfAttention m -> one(1.0 / tokens);
            case Metric.Confidence m -> one(1.0 / tokens);
            case Metric.FiedlerValue m -> one(1);
            case Metric.LargestEigenvalue m -> one(1);
            case Metric.SpectralEntropy m -> one(Math.log(tokens - 1));
        });
    }

    /** A sink with score 0 counts as one more key: rows sum to (i + 1) / (i + 2), and are not normalised. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 17, 64})
    void uniformHeadWithSink(int tokens) {
        double rest = harmonic(tokens + 1) - 1;
        check(new Head(tokens, ZERO, ZERO, true, 0, true), metric -> switch (metric) {
            case Metric.AttentionScore m -> one(-logFactorial(tokens + 1) / tokens);
            case Metric.LaplacianEigenvalues m -> falling(tokens,
                    i -> (harmonic(tokens + 1) - harmonic(i + 1)) / (tokens - i) - 1.0 / (i + 2));
            case Metric.AttentionEigenvalues m -> falling(tokens, i -> 1.0 / (i + 2));
            case Metric.Entropy m -> one(IntStream.range(0, tokens)
                    .mapToDouble(i -> (i + 1.0) / (i + 2) * Math.log(i + 2)).sum() / tokens);
            case Metric.NormalisedEntropy m -> one(tokens == 1 ? Double.NaN : IntStream.range(1, tokens)
                    .mapToDouble(i -> (i + 1.0) / (i + 2) * Math.log(i + 2) / Math.log(i + 1)).sum() / (tokens - 1));
            case Metric.SinkShare m -> one(rest / tokens);
            case Metric.MeanDistance m -> one(IntStream.range(0, tokens)
                    .mapToDouble(i -> i * (i + 1) / 2.0 / (i + 2)).sum() / tokens);
            case Metric.PreviousToken m -> one(tokens == 1 ? Double.NaN : (rest - 0.5) / (tokens - 1));
            case Metric.SelfAttention m -> one(rest / tokens);
            case Metric.Confidence m -> one(rest / tokens);
            case Metric.Symmetric m -> NO_CLOSED_FORM;
        });
    }

    /** Rows have five visible keys; denominators are those without a window. */
    @Test
    void uniformHeadWithWindow() {
        int tokens = 17;
        int window = 5;
        Head head = new Head(tokens, ZERO, ZERO, true, window, false);
        double logs = logFactorial(window) + (tokens - window) * Math.log(window);
        double[] diagonal = IntStream.range(0, tokens).mapToDouble(i -> 1.0 / Math.min(i + 1, window)).toArray();
        check(head, metric -> switch (metric) {
            case Metric.AttentionScore m -> one(-logs / tokens);
            case Metric.LaplacianEigenvalues m -> falling(tokens, i ->
                    Arrays.stream(diagonal, i, Math.min(tokens, i + window)).sum() / (tokens - i) - diagonal[i]);
            case Metric.AttentionEigenvalues m -> falling(tokens, i -> diagonal[i]);
            case Metric.Entropy m -> one(logs / tokens);
            case Metric.NormalisedEntropy m -> one(IntStream.range(1, tokens)
                    .mapToDouble(i -> -Math.log(diagonal[i]) / Math.log(i + 1)).sum() / (tokens - 1));
            case Metric.SinkShare m -> one(harmonic(window) / tokens);
            case Metric.MeanDistance m -> one(IntStream.range(0, tokens)
                    .mapToDouble(i -> (Math.min(i + 1, window) - 1) / 2.0).sum() / tokens);
            case Metric.PreviousToken m -> one((Arrays.stream(diagonal).sum() - 1) / (tokens - 1));
            case Metric.SelfAttention m -> one(Arrays.stream(diagonal).sum() / tokens);
            case Metric.Confidence m -> one(Arrays.stream(diagonal).sum() / tokens);
            case Metric.Symmetric m -> NO_CLOSED_FORM;
        });
    }

    /** The trace of the symmetrised graph, from docs/metrics.md. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 17, 64})
    void eigenvaluesOfTheUniformHeadSumToTheTrace(int tokens) {
        double trace = tokens - IntStream.range(0, tokens)
                .mapToDouble(i -> 2 / ((i + 1) * (1 + harmonic(tokens) - harmonic(i)))).sum();
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                Tensor zeros = units(backend, tokens, ZERO);
                double[] spectrum = backend.symmetricSpectrum(
                        zeros, zeros,
                        Packing.of(zeros.intSize(0), zeros.intSize(0)), AttentionSpec.plain(1, 1, tokens, true)).getFirst()[0];
                double one = Tolerance.eigenvalue(Tolerance.formula(1), tokens);
                assertEquals(trace, Arrays.stream(spectrum).sum(), tokens * one, device);
                assertEquals(0, spectrum[0], one, device);
                zeros.buffer().close();
            }
        }
    }
}
