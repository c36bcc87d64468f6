package headscope.analysis.statistics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Control of the false discovery rate over many tests (Benjamini and Hochberg 1995). */
public final class BenjaminiHochberg {
    private BenjaminiHochberg() {}

    /**
     * The q-values: the smallest false discovery rate at which each test is a discovery. With m p-values in
     * ascending order, q_i = min over j >= i of p_j m / j, at most 1. In the order of {@code p}; NaN (a head without a
     * value) stays NaN and is not counted in m.
     */
    public static double[] qValues(double[] p) {
        for (int i = 0; i < p.length; i++) {
            if (p[i] < 0 || p[i] > 1) {
                throw new IllegalArgumentException("p-value %d of %d is %s".formatted(i, p.length, p[i]));
            }
        }
        int[] ascending = IntStream.range(0, p.length)
                .filter(i -> !Double.isNaN(p[i]))
                .boxed()
                .sorted(Comparator.comparingDouble(i -> p[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] q = new double[p.length];
        Arrays.fill(q, Double.NaN);
        double smallest = 1;
        for (int rank = ascending.length; rank >= 1; rank--) {
            int i = ascending[rank - 1];
            smallest = Math.min(smallest, p[i] * ((double) ascending.length / rank));
            q[i] = smallest;
        }
        return q;
    }
}
