package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MannWhitneyTest {
    /** Enumerates the equally likely choices of x's ranks; counts those with U at least as far from its mean. */
    @ParameterizedTest
    @CsvSource({"1, 1", "1, 7", "2, 3", "3, 3", "4, 6", "5, 8", "8, 8", "3, 9"})
    void exactAgreesWithEnumeration(int n, int m) {
        long[] orderings = new long[n * m + 1];
        for (int chosen = 0; chosen < 1 << (n + m); chosen++) {
            if (Integer.bitCount(chosen) == n) {
                orderings[(int) pairsAbove(samples(chosen, n, m))]++;
            }
        }
        long all = Arrays.stream(orderings).sum();
        for (int chosen = 0; chosen < 1 << (n + m); chosen += 1 + chosen / 7) {
            if (Integer.bitCount(chosen) == n) {
                double[][] samples = samples(chosen, n, m);
                int u = (int) pairsAbove(samples);
                long tail = Arrays.stream(orderings, 0, Math.min(u, n * m - u) + 1).sum();
                MannWhitney test = MannWhitney.test(samples[0], samples[1]);
                assertEquals(u, test.u());
                assertEquals(Math.min(1, 2.0 * tail / all), test.p(), 1e-14 * test.p());
            }
        }
    }

    /** The counting recursion W(n, m, u) = W(n - 1, m, u - m) + W(n, m - 1, u), in exact integers. */
    @ParameterizedTest
    @CsvSource({"8, 300, 12", "8, 300, 450", "8, 300, 1199", "3, 500, 640", "150, 8, 31"})
    void exactIfOneSampleIsSmall(int n, int m, int u) {
        BigInteger[][] ways = new BigInteger[n + 1][u + 1];
        for (BigInteger[] row : ways) {
            Arrays.fill(row, BigInteger.ZERO);
            row[0] = BigInteger.ONE;
        }
        for (int j = 1; j <= m; j++) {
            for (int i = 1; i <= n; i++) {
                for (int k = j; k <= u; k++) {
                    ways[i][k] = ways[i][k].add(ways[i - 1][k - j]);
                }
            }
        }
        BigInteger tail = Arrays.stream(ways[n]).reduce(BigInteger.ZERO, BigInteger::add);
        BigInteger all = BigInteger.ONE;
        for (int i = 1; i <= n; i++) {
            all = all.multiply(BigInteger.valueOf(m + i)).divide(BigInteger.valueOf(i));
        }
        double expected = new BigDecimal(tail.shiftLeft(1))
                .divide(new BigDecimal(all), MathContext.DECIMAL64)
                .doubleValue();
        double[][] samples = samplesWith(u, n, m);
        MannWhitney test = MannWhitney.test(samples[0], samples[1]);
        assertEquals(u, test.u());
        assertEquals(expected, test.p(), 1e-12 * expected);
    }

    @Test
    void eightAgainstAMillionNeedsLittleMemory() {
        double[] many = IntStream.range(0, 1_000_000).asDoubleStream().toArray();
        double[] few = IntStream.range(0, 8).mapToDouble(i -> 125_000 * i + 62_500.5).toArray();
        assertEquals(1, MannWhitney.test(few, many).p(), 1e-3);
    }

    /** The normal approximation for nine or more values: z = (81 - 81/2 - 1/2) / sqrt(81 * 19 / 12); its tail computed with C's erfc. */
    @Test
    void nineAgainstNineIsApproximated() {
        double[] x = IntStream.range(0, 9).asDoubleStream().toArray();
        double[] y = IntStream.range(9, 18).asDoubleStream().toArray();
        assertEquals(0.00041229480206169177, MannWhitney.test(x, y).p(), 1e-16);
    }

    @Test
    void handlesExtremeSamples() {
        MannWhitney above = MannWhitney.test(new double[] {3, 4}, new double[] {1, 2});
        assertEquals(new MannWhitney(4, 1.0 / 3, 1), above);
        assertEquals(1, above.effect());
        assertEquals(-1, MannWhitney.test(new double[] {1, 2}, new double[] {3, 4}).effect());
        double[] ones = {1, 1, 1};
        assertEquals(new MannWhitney(4.5, 1, 0.5), MannWhitney.test(ones, ones));
        assertEquals(new MannWhitney(0.5, 1, 0.5), MannWhitney.test(new double[] {0.0}, new double[] {-0.0}));
        double[] infinite = {Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, 0};
        assertEquals(8.5 / 9, MannWhitney.auroc(new double[] {0, 1, Double.POSITIVE_INFINITY}, infinite));
    }

    @Test
    void rejectsNaNAndEmptySamples() {
        double[] one = {1};
        double[] gap = {1, Double.NaN};
        Exception rejection = assertThrows(IllegalArgumentException.class, () -> MannWhitney.test(gap, one));
        assertEquals("x: value 1 of 2 is NaN", rejection.getMessage());
        assertThrows(IllegalArgumentException.class, () -> MannWhitney.test(one, new double[0]));
        assertThrows(IllegalArgumentException.class, () -> MannWhitney.auroc(one, new double[] {Double.NaN}));
    }

    @Property
    void exchangingTheSamplesNegatesTheEffect(
            @ForAll @Size(min = 1, max = 40) byte[] x,
            @ForAll @Size(min = 1, max = 40) byte[] y) {
        MannWhitney one = MannWhitney.test(doubles(x), doubles(y));
        MannWhitney other = MannWhitney.test(doubles(y), doubles(x));
        assertEquals(one.p(), other.p(), 1e-14);
        assertEquals((double) x.length * y.length, one.u() + other.u());
        assertEquals(0, one.effect() + other.effect(), 1e-14);
        assertEquals(pairsAbove(new double[][] {doubles(x), doubles(y)}), one.u());
        assertEquals(one.auroc(), MannWhitney.auroc(doubles(x), doubles(y)));
        assertTrue(one.p() >= 0 && one.p() <= 1);
    }

    @Property
    void dependsOnTheOrderOnly(
            @ForAll @Size(min = 1, max = 30) byte[] x,
            @ForAll @Size(min = 1, max = 30) byte[] y) {
        MannWhitney plain = MannWhitney.test(doubles(x), doubles(y));
        assertEquals(plain, MannWhitney.test(cubed(doubles(x)), cubed(doubles(y))));
    }

    private static double[] cubed(double[] values) {
        return Arrays.stream(values).map(v -> 8 * v * v * v - 3).toArray();
    }

    private static double[] doubles(byte[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static double pairsAbove(double[][] samples) {
        double u = 0;
        for (double x : samples[0]) {
            for (double y : samples[1]) {
                u += x > y ? 1 : x == y ? 0.5 : 0;
            }
        }
        return u;
    }

    /** Ranks 0..n+m-1; the set bits of chosen select the first sample. */
    private static double[][] samples(int chosen, int n, int m) {
        return new double[][] {
            IntStream.range(0, n + m).filter(i -> (chosen >> i & 1) == 1).asDoubleStream().toArray(),
            IntStream.range(0, n + m).filter(i -> (chosen >> i & 1) == 0).asDoubleStream().toArray()
        };
    }

    /** y is 0..m-1; x has n values between these, such that u pairs have x > y. */
    private static double[][] samplesWith(int u, int n, int m) {
        double[] y = IntStream.range(0, m).asDoubleStream().toArray();
        double[] x = new double[n];
        for (int i = 0; i < n; i++) {
            int below = u / n + (i < u % n ? 1 : 0);
            x[i] = below - 0.5 + 0.01 * i / n;
        }
        return new double[][] {x, y};
    }
}
