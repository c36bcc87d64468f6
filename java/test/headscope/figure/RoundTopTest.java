package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.result.HeadMap;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoundTopTest {
    private static double top(float... values) {
        return RoundTop.of(List.of(new HeadMap("", "", 1, values.length, values)));
    }

    @Test
    void hasOneDigit() {
        assertEquals(0.004, top(0.0049f, 0.001f));
        assertEquals(0.09, top(0.0999f));
        assertEquals(3, top(3, 2, 1));
        assertEquals(0.9, top(0.99999f));
        assertEquals(20, top(27));
    }

    /** The two largest of 200 cells in two maps reach the top. */
    @Test
    void onePercentOfTheCellsReachIt() {
        float[] first = new float[100];
        float[] second = new float[100];
        first[7] = 5;
        second[8] = 2.5f;
        second[9] = 1;
        assertEquals(2, RoundTop.of(
                List.of(new HeadMap("", "", 10, 10, first), new HeadMap("", "", 10, 10, second))));
    }

    @Test
    void mapsWithoutAPositiveValueHaveATop() {
        assertEquals(1, top(0, 0));
        assertEquals(1, top(Float.NaN));
        assertEquals(0.5, top(Float.NaN, 0.5f));
    }
}
