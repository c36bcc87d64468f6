package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ElbowTest {
    @Test
    void elbowOfAStep() {
        assertEquals(3, Elbow.before(new double[] {1, 1, 1, 0, 0, 0, 0, 0}));
        assertEquals(1, Elbow.before(new double[] {9, 1, 1, 1, 1, 1}));
    }

    @Test
    void aLineHasNoElbow() {
        assertEquals(0, Elbow.before(new double[] {8, 6, 4, 2, 0}));
        assertEquals(0, Elbow.before(new double[] {3, 3, 3}));
        assertEquals(0, Elbow.before(new double[] {3}));
        assertEquals(0, Elbow.before(new double[] {3, 1}));
    }

    /** exp(-i / s) is farthest from its chord where the slopes are equal: exp(-i / s) / s = (1 - exp(-n / s)) / n. */
    @Test
    void elbowOfAnExponential() {
        int n = 1000;
        double s = 50;
        double bend = s * Math.log(n / (s * (1 - Math.exp(-n / s))));
        double[] falling = IntStream.rangeClosed(0, n).mapToDouble(i -> Math.exp(-i / s)).toArray();
        assertEquals(bend, Elbow.before(falling), 1);
    }

    /** A curve above its chord. */
    @Test
    void elbowOfAConcaveCurve() {
        assertEquals(3, Elbow.before(new double[] {1, 1, 1, 1, 0}));
    }

    /** The source measures distances to the chord; the vertical gap is proportional to them. */
    @Test
    void elbowIsFarthestFromTheChord() {
        double[] falling = {0.9, 0.5, 0.45, 0.2, 0.15, 0.14, 0.1, 0.02};
        int last = falling.length - 1;
        double length = Math.hypot(last, falling[last] - falling[0]);
        int farthest = IntStream.rangeClosed(0, last)
                .boxed()
                .max((a, b) -> Double.compare(distance(falling, a, length), distance(falling, b, length)))
                .orElseThrow();
        assertEquals(farthest, Elbow.before(falling));
    }

    private static double distance(double[] falling, int i, double length) {
        int last = falling.length - 1;
        return Math.abs(last * (falling[i] - falling[0]) - i * (falling[last] - falling[0])) / length;
    }
}
