package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.StatisticsFile;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Comparison with SciPy: one method per section of the fixture. */
final class StatisticsFixtureTest {
    private static final double RELATIVE = 1e-12;

    @TestFactory
    List<DynamicTest> mannWhitney() {
        return StatisticsFile.cases("mann_whitney", one -> {
            MannWhitney test = MannWhitney.test(
                    StatisticsFile.doubles(one.get("x")), StatisticsFile.doubles(one.get("y")));
            assertClose(one.get("u").asDouble(), test.u(), "u");
            assertClose(one.get("p").asDouble(), test.p(), "p");
            assertClose(one.get("auroc").asDouble(), test.auroc(), "auroc");
        });
    }

    @TestFactory
    List<DynamicTest> benjaminiHochberg() {
        return StatisticsFile.cases("benjamini_hochberg", one -> {
            double[] expected = StatisticsFile.doubles(one.get("q"));
            double[] q = BenjaminiHochberg.qValues(StatisticsFile.doubles(one.get("p")));
            assertEquals(expected.length, q.length);
            for (int i = 0; i < q.length; i++) {
                assertClose(expected[i], q[i], "q " + i);
            }
        });
    }

    private static void assertClose(double expected, double actual, String what) {
        assertEquals(expected, actual, RELATIVE * Math.abs(expected), what);
    }
}
