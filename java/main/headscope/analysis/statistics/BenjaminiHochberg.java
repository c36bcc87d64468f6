package headscope.analysis.statistics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Benjamini and Hochberg's control of the false discovery rate over many tests (1995). */
public final class BenjaminiHochberg {
    private BenjaminiHochberg() {}

    /**
     * The smallest false discovery rate at which each test would be a discovery: with m p-values in rising
     * order, q_i = min over j >= i of p_j m / j, at most 1. In the order of {@code p}; NaN (a head without a
     * value) stays NaN and is not among the m.
     */
    public static double[] qValues(double[] p) {
        for (int i = 0; i < p.length; i++) {
            if (p[i] < 0 || p[i] > 1) {
                throw new IllegalArgumentException("p-value %d of %d is %s".formatted(i, p.length, p[i]));
            }
        }
        int[] rising = IntStream.range(0, p.length)
                .filter(i -> !Double.isNaN(p[i]))
                .boxed()
                .sorted(Comparator.comparingDouble(i -> p[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] q = new double[p.length];
        Arrays.fill(q, Double.NaN);
        double smallest = 1;
        for (int rank = rising.length; rank >= 1; rank--) {
            int i = rising[rank - 1];
            smallest = Math.min(smallest, p[i] * ((double) rising.length / rank));
            q[i] = smallest;
        }
        return q;
    }
}
