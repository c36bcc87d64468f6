package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class BenjaminiHochbergTest {
    @Test
    void agreesWithHandComputedValues() {
        double[] q = BenjaminiHochberg.qValues(new double[] {0.04, 0.01, 0.03, 0.9});
        assertArrayEquals(new double[] {0.16 / 3, 0.04, 0.16 / 3, 0.9}, q, 1e-15);
    }

    @Test
    void ignoresNaN() {
        double[] q = BenjaminiHochberg.qValues(new double[] {Double.NaN, 0.01, Double.NaN, 0.5});
        assertArrayEquals(new double[] {Double.NaN, 0.02, Double.NaN, 0.5}, q, 1e-15);
        assertEquals(0, BenjaminiHochberg.qValues(new double[0]).length);
    }

    @Test
    void rejectsNumbersOutsideZeroToOne() {
        assertThrows(IllegalArgumentException.class, () -> BenjaminiHochberg.qValues(new double[] {1, -0.1}));
        assertThrows(IllegalArgumentException.class, () -> BenjaminiHochberg.qValues(new double[] {1.1}));
    }

    /** The step-up procedure at level a rejects the k smallest p-values, for the largest k with p_(k) <= a k / m. */
    @Property
    void agreesWithTheStepUpProcedure(
            @ForAll @Size(min = 1, max = 60) byte[] tests, @ForAll byte atLevel) {
        double[] p = IntStream.range(0, tests.length).mapToDouble(i -> share(tests[i])).toArray();
        double level = share(atLevel);
        double[] q = BenjaminiHochberg.qValues(p);
        double[] sorted = p.clone();
        Arrays.sort(sorted);
        double threshold = -1;
        for (int k = 1; k <= p.length; k++) {
            if (sorted[k - 1] * ((double) p.length / k) <= level) {
                threshold = sorted[k - 1];
            }
        }
        for (int i = 0; i < p.length; i++) {
            assertEquals(p[i] <= threshold, q[i] <= level);
            assertTrue(q[i] >= p[i] && q[i] <= 1);
        }
    }

    /** A number in [0, 1]; small ones and ties are frequent. */
    private static double share(byte value) {
        double uniform = Byte.toUnsignedInt(value) / 255.0;
        return uniform * uniform;
    }
}
