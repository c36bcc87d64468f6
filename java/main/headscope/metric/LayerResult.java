package headscope.metric;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.stream.Collectors;

/** Metrics of all heads of one layer on one text: O(heads) numbers on the heap, immutable. */
public final class LayerResult {
    private final Map<Metric, double[][]> values = new HashMap<>();

    /** @param values [heads][{@link Metric#valuesPerHead}] of each metric; copied */
    public LayerResult(Map<Metric, double[][]> values) {
        for (Entry<Metric, double[][]> entry : values.entrySet()) {
            this.values.put(entry.getKey(), copy(entry.getValue()));
        }
    }

    /**
     * The values of one metric, as a copy.
     *
     * @return [heads][{@link Metric#valuesPerHead}]
     * @throws IllegalArgumentException if the metric was not measured
     */
    public double[][] of(Metric metric) {
        if (!values.containsKey(metric)) {
            throw new IllegalArgumentException("%s was not measured; measured are %s".formatted(metric.key(),
                    values.keySet().stream().map(Metric::key).sorted().collect(Collectors.joining(", "))));
        }
        return copy(values.get(metric));
    }

    private static double[][] copy(double[][] heads) {
        return Arrays.stream(heads).map(double[]::clone).toArray(double[][]::new);
    }
}
