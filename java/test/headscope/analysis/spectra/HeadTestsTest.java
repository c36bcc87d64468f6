package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.result.TestedHeads;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests of every head against values computed by hand. */
class HeadTestsTest {
    private static final double ROUNDING = 8 * Tolerance.fp64(8);

    /**
     * Four texts against four. Head 0 separates them: U = 16 of 16 pairs, p = 2 / C(8, 4) = 1/35. Head 1 separates them
     * in the opposite direction. Head 2 is constant. Head 3: 1, 2, 3, 8 against 4, 5, 6, 7, U = 12 of 16; 24 of 70
     * assignments of ranks are at least as extreme.
     */
    @Test
    void testsOneValuePerText() {
        int[] labels = {0, 1, 0, 1, 0, 1, 0, 1};
        List<float[]> values = List.of(
                new float[] {1, 8, 5, 1}, new float[] {5, 4, 5, 4}, new float[] {2, 7, 5, 2}, new float[] {6, 3, 5, 5},
                new float[] {3, 6, 5, 3}, new float[] {7, 2, 5, 6}, new float[] {4, 5, 5, 8}, new float[] {8, 1, 5, 7});
        TestedHeads tests = HeadTests.of(values, labels, 1, false);
        assertArrayEquals(new double[] {1 / 35.0, 1 / 35.0, 1, 24 / 70.0}, tests.p(), ROUNDING);
        assertArrayEquals(new double[] {2 / 35.0, 2 / 35.0, 1, 24 / 70.0 * 4 / 3}, tests.q(), ROUNDING);
        assertArrayEquals(new double[] {1, -1, 0, 0.5}, tests.effect(), ROUNDING);
        assertArrayEquals(new double[] {1, 0, 0.5, 12 / 16.0}, tests.auroc(), ROUNDING);
        assertArrayEquals(new double[] {2.5, 6.5, 5, 3.5}, tests.mean0(), ROUNDING);
        assertArrayEquals(new double[] {6.5, 2.5, 5, 5.5}, tests.mean1(), ROUNDING);
        assertEquals(0.5, tests.shareSignificant());
        assertEquals(0, tests.shareDiscovered());
    }

    /** Two against three with equal values: of the six pairs 2 > 1, 2 = 2 twice, 3 > 1, 3 > 2 twice. */
    @Test
    void equalValuesCountHalf() {
        List<float[]> values = List.of(new float[] {1}, new float[] {2}, new float[] {2}, new float[] {2}, new float[] {3});
        TestedHeads tests = HeadTests.of(values, new int[] {0, 0, 0, 1, 1}, 1, false);
        assertArrayEquals(new double[] {(1 + 0.5 + 0.5 + 3) / 6}, tests.auroc(), ROUNDING);
        assertArrayEquals(new double[] {2 * 5 / 6.0 - 1}, tests.effect(), ROUNDING);
    }

    /** Two values per head and text, averaged or pooled. */
    @Test
    void testsSeveralValuesPerText() {
        int[] labels = {1, 1, 0};
        List<float[]> values = List.of(new float[] {1, 3, 0, 0}, new float[] {5, 7, 1, 9}, new float[] {2, 4, 6, 8});
        TestedHeads mean = HeadTests.of(values, labels, 2, false);
        // 2 and 6 against 3: p = 1. 0 and 5 against 7: 2 of 3 assignments of ranks are as extreme.
        assertArrayEquals(new double[] {0, -1}, mean.effect(), ROUNDING);
        assertArrayEquals(new double[] {1, 2 / 3.0}, mean.p(), ROUNDING);
        assertArrayEquals(new double[] {3, 7}, mean.mean0(), ROUNDING);
        assertArrayEquals(new double[] {4, 2.5}, mean.mean1(), ROUNDING);
        TestedHeads pooled = HeadTests.of(values, labels, 2, true);
        // 1 3 5 7 against 2 4: 5 of 8 pairs. 0 0 1 9 against 6 8: 2 of 8.
        assertArrayEquals(new double[] {0.25, -0.5}, pooled.effect(), ROUNDING);
        assertArrayEquals(new double[] {5 / 8.0, 2 / 8.0}, pooled.auroc(), ROUNDING);
        assertArrayEquals(mean.mean0(), pooled.mean0(), ROUNDING);
        assertArrayEquals(mean.mean1(), pooled.mean1(), ROUNDING);
    }

    /** Two against two without the undefined value; head 1 has no value in class 0. */
    @Test
    void undefinedValuesAreNotCounted() {
        int[] labels = {0, 0, 1, 1, 1};
        float none = Float.NaN;
        List<float[]> values = List.of(new float[] {1, none}, new float[] {2, none}, new float[] {3, 1},
                new float[] {none, 2}, new float[] {4, 3});
        TestedHeads tests = HeadTests.of(values, labels, 1, false);
        assertArrayEquals(new double[] {1, Double.NaN}, tests.effect(), ROUNDING);
        assertArrayEquals(new double[] {1, Double.NaN}, tests.auroc(), ROUNDING);
        assertArrayEquals(new double[] {1 / 3.0, Double.NaN}, tests.p(), ROUNDING);
        assertArrayEquals(new double[] {1 / 3.0, Double.NaN}, tests.q(), ROUNDING);
        assertArrayEquals(new double[] {3.5, 2}, tests.mean1(), ROUNDING);
    }
}
