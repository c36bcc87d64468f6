package headscope.timing;

import headscope.backend.Backend;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An operation to be timed.
 *
 * @param whole whether the kernels' times are added to one measurement, "all"
 * @param costs costs of kernels, by prefixes of their names
 */
record Work(String operation, Runnable body, boolean whole, SequencedMap<String, Cost> costs) {
    static Work of(String operation, Runnable body) {
        return new Work(operation, body, false, new LinkedHashMap<>());
    }

    static Work whole(String operation, Runnable body) {
        return new Work(operation, body, true, new LinkedHashMap<>());
    }

    Work with(String kernel, Cost cost) {
        costs.put(kernel, cost);
        return this;
    }

    /** Seconds of each kernel. */
    Map<String, Double> time(Backend backend) {
        Map<String, Double> seconds = backend.time(body);
        return whole ? Map.of("all", seconds.values().stream().mapToDouble(Double::doubleValue).sum()) : seconds;
    }

    /** Cost of a kernel; of all kernels for "cpu"; 0 for an auxiliary kernel. */
    Cost cost(String kernel) {
        return costs.entrySet().stream()
                .filter(entry -> kernel.startsWith(entry.getKey()) || kernel.equals("cpu"))
                .map(Map.Entry::getValue)
                .reduce(new Cost(0, 0), Cost::plus);
    }
}
