package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.Tolerance;
import headscope.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Frequencies with known values. */
class RopeTest {
    private static void assertClose(double expected, double actual) {
        assertEquals(expected, actual, Tolerance.stored(expected));
    }

    private static float[] frequencies(double theta, int rotated, Rope.Scaling scaling) {
        return new Rope(theta, rotated, scaling).frequencies();
    }

    @Test
    void unscaled() {
        float[] frequencies = frequencies(10_000, 8, new Rope.Unscaled());
        double[] expected = {1, 0.1, 0.01, 0.001};
        assertEquals(expected.length, frequencies.length);
        for (int j = 0; j < expected.length; j++) {
            assertClose(expected[j], frequencies[j]);
        }
        assertEquals(1, new Rope(10_000, 8, new Rope.Unscaled()).magnitude());
    }

    /** Rounded up to an even number, as in libraries that count in steps of two. */
    @Test
    void oddWidth() {
        float[] frequencies = frequencies(10_000, 5, new Rope.Unscaled());
        assertEquals(3, frequencies.length);
        assertClose(Math.pow(10_000, -4.0 / 5), frequencies[2]);
    }

    @Test
    void linear() {
        float[] plain = frequencies(500_000, 64, new Rope.Unscaled());
        float[] linear = frequencies(500_000, 64, new Rope.Linear(4));
        for (int j = 0; j < plain.length; j++) {
            assertClose(plain[j] / 4, linear[j]);
        }
    }

    /** At least 4 rotations within the original length: kept; at most 1: divided; 2.5: the mean of both. */
    @Test
    void llama3() {
        Rope.Llama3 scaling = new Rope.Llama3(8, 1, 4, 8192);
        float[] plain = frequencies(500_000, 128, new Rope.Unscaled());
        float[] scaled = frequencies(500_000, 128, scaling);
        assertEquals(1, scaled[0]);
        assertClose(plain[63] / 8, scaled[63]);
        for (int j = 0; j < plain.length; j++) {
            double rotations = 8192 * plain[j] / (2 * Math.PI);
            if (rotations >= 4) {
                assertClose(plain[j], scaled[j]);
            } else if (rotations <= 1) {
                assertClose(plain[j] / 8, scaled[j]);
            } else {
                assertTrue(scaled[j] < plain[j] && scaled[j] > plain[j] / 8, "pair " + j);
            }
        }
        float[] middle = frequencies(10_000, 2, new Rope.Llama3(8, 1, 4, 2 * Math.PI * 2.5));
        assertClose((1 + 1.0 / 8) / 2, middle[0]);
    }

    /** High frequencies are kept; those with less than one rotation are divided. */
    @Test
    void yarn() {
        Rope rope = new Rope(10_000, 128, new Rope.Yarn(4, 32, 1, 4096, true, 0.1 * Math.log(4) + 1));
        float[] plain = frequencies(10_000, 128, new Rope.Unscaled());
        float[] scaled = rope.frequencies();
        for (int j = 0; j < plain.length; j++) {
            double rotations = 4096 * plain[j] / (2 * Math.PI);
            if (rotations > 40) {
                assertClose(plain[j], scaled[j]);
            } else if (rotations < 0.8) {
                assertClose(plain[j] / 4, scaled[j]);
            }
            assertTrue(scaled[j] <= plain[j] && scaled[j] >= plain[j] / 4 - Tolerance.stored(plain[j]));
        }
        assertClose(1.138629436, rope.magnitude());
    }

    /** Tables contain every position, also after they have grown. */
    @Test
    void tables() {
        Rope rope = new Rope(10_000, 4, new Rope.Yarn(1, 32, 1, 64, true, 2));
        try (Backend backend = Backend.open("cpu")) {
            try (RopeTables tables = new RopeTables(backend)) {
                float[] first = backend.download(tables.angles(rope, 0, 1).cosine());
                assertEquals(2, first[0]);
                assertEquals(0, backend.download(tables.angles(rope, 0, 1).sine())[1]);
                for (int position : new int[] {3, 255, 256, 1000}) {
                    RopeTables.Angles angles = tables.angles(rope, position, 1);
                    float slow = rope.frequencies()[1] * position;
                    assertEquals((float) (2 * Math.cos(position)), backend.download(angles.cosine())[0]);
                    assertEquals((float) (2 * Math.sin(position)), backend.download(angles.sine())[0]);
                    assertEquals((float) (2 * Math.cos(slow)), backend.download(angles.cosine())[1]);
                }
            }
            assertEquals(0, backend.liveBytes());
        }
    }

    /** Of fixtures/rope.json, to one unit in the last place: 1e-7 of a frequency are 0.01 radians after 100,000 tokens. */
    @Test
    void equalsTransformersAlmostToTheBit() throws IOException {
        int different = 0;
        JsonNode cases = new ObjectMapper().readTree(Path.of("java/test/headscope/fixtures/rope.json").toFile()).get("cases");
        for (JsonNode one : cases) {
            JsonNode p = one.get("rope_parameters");
            double original = p.path("original_max_position_embeddings").asDouble();
            double factor = p.path("factor").asDouble();
            Rope.Scaling scaling = switch (p.get("rope_type").textValue()) {
                case "linear" -> new Rope.Linear(factor);
                case "llama3" -> new Rope.Llama3(
                        factor, p.get("low_freq_factor").doubleValue(), p.get("high_freq_factor").doubleValue(), original);
                case "yarn" -> new Rope.Yarn(
                        factor, p.get("beta_fast").doubleValue(), p.get("beta_slow").doubleValue(), original, true, 1);
                default -> new Rope.Unscaled();
            };
            float[] frequencies = frequencies(p.get("rope_theta").doubleValue(), one.get("head_dim").intValue(), scaling);
            assertEquals(one.get("bits").size(), frequencies.length);
            for (int j = 0; j < frequencies.length; j++) {
                int ulps = Math.abs(one.get("bits").get(j).intValue() - Float.floatToIntBits(frequencies[j]));
                assertTrue(ulps <= 1, p + ", pair " + j + ": " + ulps + " units in the last place");
                different += ulps;
            }
        }
        assertEquals(12, cases.size());
        assertTrue(different <= 8, different + " of 768 frequencies differ");
    }
}
