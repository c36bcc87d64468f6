package headscope.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import java.util.function.IntToDoubleFunction;

/** Assertions on arrays of results. */
final class Agreement {
    private Agreement() {}

    /** @param tolerance of element i */
    static void agree(String what, float[] expected, float[] actual, IntToDoubleFunction tolerance) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            agree(what, i, expected[i], actual[i], tolerance.applyAsDouble(i));
        }
    }

    static void agree(String what, double[] expected, double[] actual, IntToDoubleFunction tolerance) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            agree(what, i, expected[i], actual[i], tolerance.applyAsDouble(i));
        }
    }

    private static void agree(String what, int i, double expected, double actual, double tolerance) {
        boolean agree = Double.isNaN(expected)
                ? Double.isNaN(actual)
                : Math.abs(expected - actual) <= tolerance;
        assertTrue(agree, () -> "%s, element %d: %s where the reference has %s, tolerance %s%s"
                .formatted(what, i, actual, expected, tolerance, Seed.reproduce()));
    }

    /** Equal bits, except for those of NaN, which depend on the processor. */
    static void same(String what, float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            int at = i;
            assertEquals(Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]),
                    () -> "%s, element %d: %s and %s%s".formatted(
                            what, at, expected[at], actual[at], Seed.reproduce()));
        }
    }

    static void same(String what, double[] expected, double[] actual) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            int at = i;
            assertEquals(Double.doubleToRawLongBits(expected[i]), Double.doubleToRawLongBits(actual[i]),
                    () -> "%s, element %d: %s and %s%s".formatted(
                            what, at, expected[at], actual[at], Seed.reproduce()));
        }
    }
}
