package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sampling from known probabilities. */
class SamplerTest {
    /** Probabilities 0.2, 0.5, 0.3. */
    private static final float[] LOGITS = {
        (float) Math.log(0.2) + 7, (float) Math.log(0.5) + 7, (float) Math.log(0.3) + 7
    };

    /** A generator that always returns this number. */
    private static RandomGenerator always(double number) {
        return () -> (long) (number * 0x1p53) << 11;
    }

    private static int next(Sampler sampler, float[] logits, double number) {
        int[] tokens = Devices.ALL.stream().mapToInt(device -> {
            try (Backend backend = Devices.open(device)) {
                Tensor row = backend.allocate(DType.F32, 1, logits.length);
                backend.upload(row, MemorySegment.ofArray(logits));
                int token = sampler.next(backend, row, List.of(always(number)))[0];
                row.buffer().close();
                return token;
            }
        }).distinct().toArray();
        assertEquals(1, tokens.length, "all devices choose the same token");
        return tokens[0];
    }

    @Test
    void greedy() {
        assertEquals(1, next(Sampler.GREEDY, LOGITS, 0.99));
        assertEquals(1, next(Sampler.GREEDY, new float[] {1, 3, 3, 2}, 0.99));
        assertEquals(0, next(Sampler.GREEDY, new float[] {-5}, 0));
    }

    /** In descending order: token 1 below 0.5, token 2 below 0.8, then token 0. */
    @ParameterizedTest
    @CsvSource({"0,1", "0.499,1", "0.501,2", "0.799,2", "0.801,0", "0.999999,0"})
    void samplesByProbability(double number, int token) {
        assertEquals(token, next(new Sampler(1, 1), LOGITS, number));
    }

    /** Squared probabilities, normalised: 0.04, 0.25, 0.09 divided by 0.38. */
    @ParameterizedTest
    @CsvSource({"0.65,1", "0.66,2", "0.89,2", "0.9,0"})
    void temperatureSharpens(double number, int token) {
        assertEquals(token, next(new Sampler(0.5, 1), LOGITS, number));
    }

    /** Only the most probable tokens that together reach top-p are sampled. */
    @ParameterizedTest
    @CsvSource({"0.49,0.999,1", "0.6,0.62,1", "0.6,0.63,2", "0.79,0.999,2", "0.81,0.999,0", "1e-9,0.999,1"})
    void topP(double topP, double number, int token) {
        assertEquals(token, next(new Sampler(1, topP), LOGITS, number));
    }

    @Test
    void hugeLogitsDoNotOverflow() {
        assertEquals(1, next(new Sampler(1e-3, 1), new float[] {-3e38f, 3e38f}, 0.999));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, Double.NaN, Double.POSITIVE_INFINITY})
    void rejectedTemperatures(double temperature) {
        assertEquals("the temperature must be 0 or more, not " + temperature,
                assertThrows(IllegalArgumentException.class, () -> new Sampler(temperature, 1)).getMessage());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -0.5, 1.1, Double.NaN})
    void rejectedTopPs(double topP) {
        assertEquals("top-p must be above 0 and at most 1, not " + topP,
                assertThrows(IllegalArgumentException.class, () -> new Sampler(1, topP)).getMessage());
    }
}
