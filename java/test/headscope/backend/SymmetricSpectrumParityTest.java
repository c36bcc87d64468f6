package headscope.backend;

import static headscope.backend.Agreement.agree;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.cuda.EmulatedDevice;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Symmetrised spectra on every backend, at sizes around those of warps, blocks and panels, and of graphs with known
 * spectra.
 */
class SymmetricSpectrumParityTest {
    /** Up to 192 tokens stay in registers; those of more are reduced to a band first. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 192, 193, 220, 221, 257, 512, 513})
    void agrees(int tokens) {
        int heads = tokens > 100 ? 1 : 3;
        AttentionCase one = new AttentionCase(tokens, heads, 1, 16, tokens % 2 == 1, 0, 0, true, Inputs.NORMAL);
        double worst = DoubleStream.of(one.tolerance()).max().orElseThrow();
        double[][] expected = spectra(Devices.reference(), one);
        for (String device : Devices.ALL) {
            double[][] actual = spectra(Devices.open(device), one);
            for (int head = 0; head < heads; head++) {
                agree(device + ", head " + head, expected[head], actual[head],
                        i -> Tolerance.eigenvalue(worst, tokens));
            }
        }
    }

    /**
     * The band is as wide as shared memory allows: 99 KB hold 32 diagonals of 380 tokens or 16 of 760; the 227 KB of Hopper,
     * of 892 or 1,784. Beyond that, 32 diagonals lie in memory. The CPU's eigenvalues are LAPACK's in fp64, of a map with the
     * same rounding error.
     */
    @ParameterizedTest
    @CsvSource({
        "380, false, 32", "381, false, 16", "511, false, 16", "760, false, 16", "761, false, 32",
        "892, true, 32", "893, true, 16", "1023, true, 16", "1024, true, 16"
    })
    void bandsFitIntoSharedMemory(int tokens, boolean hopper, int width) {
        AttentionCase one = new AttentionCase(tokens, 1, 1, 16, true, 0, 0, false, Inputs.NORMAL);
        double worst = DoubleStream.of(one.tolerance()).max().orElseThrow();
        double[][] expected = spectra(Backend.open("cpu"), one);
        Backend device = hopper ? Devices.emulatedHopper(DType.F32) : Devices.open(Devices.EMULATED);
        List<double[][]> actual = new ArrayList<>();
        assertTrue(device.time(() -> actual.add(spectra(device, one))).containsKey("symmetric_chase%d_f32".formatted(width)));
        agree("band", expected[0], actual.getFirst()[0], i -> 2 * Tolerance.eigenvalue(worst, tokens));
    }

    private static double[][] spectra(Backend opened, AttentionCase one) {
        try (Backend backend = opened; TensorScope on = new TensorScope(backend)) {
            return backend.symmetricSpectrum(
                    one.queries(on),
                    one.keys(on), Packing.whole(one.tokens()), one.spec(on)).getFirst();
        }
    }

    /** 16-bit keys give the spectrum of rounded inputs in fp32. */
    @ParameterizedTest
    @CsvSource({"BF16, 1", "F16, 2", "BF16, 33", "F16, 65"})
    void agreesFromKeysOf16Bits(DType type, int tokens) {
        AttentionCase one = new AttentionCase(tokens, 2, 1, 16, true, 0, 0, false, Inputs.NORMAL);
        double worst = DoubleStream.of(one.tolerance()).max().orElseThrow();
        try (Backend backend = new CheckedBackend(EmulatedDevice.open(type)); TensorScope on = new TensorScope(backend)) {
            Tensor q = on.tensor(one.queries(), tokens, 32);
            Tensor half = on.allocate(type, tokens, 16);
            backend.convert(half, on.tensor(one.keys(), tokens, 16));
            Tensor halfQueries = on.allocate(type, tokens, 32);
            backend.convert(halfQueries, q);
            Tensor roundedKeys = on.unwritten(tokens, 16);
            backend.convert(roundedKeys, half);
            Tensor roundedQueries = on.unwritten(tokens, 32);
            backend.convert(roundedQueries, halfQueries);
            double[][] expected = backend.symmetricSpectrum(roundedQueries, roundedKeys,
                    Packing.of(roundedQueries.intSize(0), roundedKeys.intSize(0)), one.spec(on)).getFirst();
            double[][] actual = backend.symmetricSpectrum(q, half,
                    Packing.of(q.intSize(0), half.intSize(0)), one.spec(on)).getFirst();
            for (int head = 0; head < 2; head++) {
                agree("head " + head, expected[head], actual[head], i -> Tolerance.eigenvalue(worst, tokens));
            }
        }
    }

    /**
     * Token i attends uniformly to the tokens whose key equals its query.
     *
     * @param drained whether the sink takes all probability
     */
    private static void check(
            int tokens, IntUnaryOperator query, IntUnaryOperator key, boolean drained, IntToDoubleFunction expected) {
        float[] q = oneHot(tokens, query);
        float[] k = oneHot(tokens, key);
        double[] wanted = new double[tokens];
        Arrays.setAll(wanted, expected);
        Arrays.sort(wanted);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                float sink = drained ? 1e4f : -1e4f;
                AttentionSpec spec = new AttentionSpec(
                        1, 1, tokens, 1, false, 0, 0, Optional.of(on.tensor(new float[] {sink}, 1)));
                double[][] actual = backend.symmetricSpectrum(
                        on.tensor(q, tokens, tokens), on.tensor(k, tokens, tokens),
                                Packing.whole(tokens), spec).getFirst();
                double tolerance = Tolerance.eigenvalue(Tolerance.softmax(tokens, tokens, 0), tokens);
                agree(device, wanted, actual[0], i -> tolerance);
            }
        }
    }

    private static float[] oneHot(int tokens, IntUnaryOperator column) {
        float[] rows = new float[tokens * tokens];
        for (int i = 0; i < tokens; i++) {
            rows[i * tokens + column.applyAsInt(i)] = 16;
        }
        return rows;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 32, 33, 97})
    void knownGraphs(int tokens) {
        check(tokens, i -> 0, j -> 0, false, i -> i == 0 ? 0 : 1);
        check(tokens, i -> i, j -> j, false, i -> 0);
        // A ring: each token attends to the next.
        check(tokens, i -> (i + 1) % tokens, j -> j, false, i -> 1 - Math.cos(2 * Math.PI * i / tokens));
        // Disconnected groups: an eigenvalue 0 for each.
        int groups = Math.min(5, tokens);
        check(tokens, i -> i % groups, j -> j % groups, false, i -> i < groups ? 0 : 1);
        // No token has weight.
        check(tokens, i -> 0, j -> 0, true, i -> 1);
    }

    @Test
    void namesTheHeadWithNan() {
        try (Backend backend = new CheckedBackend(EmulatedDevice.open(DType.F32)); TensorScope on = new TensorScope(backend)) {
            Tensor x = on.tensor(Inputs.NORMAL.values(Seed.random(), 40, 8), 40, 8);
            AttentionSpec spec = new AttentionSpec(
                    2, 2, 4, 1, true, 0, 0, Optional.of(on.tensor(new float[] {0, Float.NaN}, 2)));
            String message = assertThrows(DeviceException.class, () -> backend.symmetricSpectrum(x, x,
                    Packing.whole(x.intSize(0)), spec).getFirst()).getMessage();
            assertTrue(message.startsWith("symmetricSpectrum: head 1, 40 tokens: "), message);
        }
    }
}
