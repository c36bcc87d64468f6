package headscope.analysis;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Heads in the order of their values. */
public final class HeadRanking {
    /** Number of heads that a summary lists by default. */
    public static final int TOP = 5;

    private HeadRanking() {}

    /** @throws InputException if it is not a number of heads */
    public static void requireCount(String option, int count) {
        InputException.require(count >= 0, "%s must be at least 0, not %d".formatted(option, count));
    }

    /**
     * Indices [layers * heads] of the heads with the smallest values, in ascending order. Heads with equal values are
     * ordered by the next array, then by index; heads whose first value is NaN are left out.
     *
     * @param count  maximum number of heads
     * @param values one or more arrays [layers, heads]
     */
    public static List<Integer> smallest(int count, double[]... values) {
        Comparator<Integer> order = Comparator.comparingDouble(head -> values[0][head]);
        for (int i = 1; i < values.length; i++) {
            double[] next = values[i];
            order = order.thenComparingDouble(head -> next[head]);
        }
        return IntStream.range(0, values[0].length)
                .filter(head -> !Double.isNaN(values[0][head]))
                .boxed()
                .sorted(order) // stable: equal heads stay in the order of their indices
                .limit(count)
                .toList();
    }
}
