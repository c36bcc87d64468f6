package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Compares with {@code scipy.stats.wilcoxon} 1.15, method "approx" where there are ties or zeros. */
final class WilcoxonSignedRankTest {
    @Test
    void smallSamplesAreExact() {
        check(1, 0.4257);
        check(0.5, 0.1679, 0.9404);
        check(0.125, 0.4049, -0.2357, 0.6616, 1.604, 1.2471);
        check(0.33935546875, -0.4037, -0.9654, -0.3233, 0.3413, -2.025, 0.0812, -0.9459, -0.4323, -0.2443, -0.0163, 0.7116,
                1.3425);
        check(0.2825841121848498, IntStream.rangeClosed(1, 40).mapToDouble(i -> Math.sin(i * i) + 0.3).toArray());
    }

    @Test
    void largeSamplesAndTiesAreApproximate() {
        check(0.4265826005770048, IntStream.rangeClosed(1, 60).mapToDouble(i -> Math.sin(i * i) + 0.1).toArray());
        check(0.1051719513086604, 1, 1, -1, 2, 0, 3, -2, 4, 0, 5);
    }

    @Test
    void missingPairsAreIgnored() {
        check(0.125, 0.4049, -0.2357, Double.NaN, 0.6616, 1.604, 1.2471);
        check(1, 0, 0, 0);
        assertEquals(Double.NaN, WilcoxonSignedRank.p(new double[] {Double.NaN}));
        assertEquals(Double.NaN, WilcoxonSignedRank.p(new double[0]));
    }

    private static void check(double expected, double... differences) {
        assertEquals(expected, WilcoxonSignedRank.p(differences), 1e-12);
    }
}
