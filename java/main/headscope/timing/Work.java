package headscope.timing;

import headscope.backend.Backend;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * One operation to be timed.
 *
 * @param whole whether its kernels are one measurement, "all"
 * @param costs of the kernels that it consists of, by the beginning of their names
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

    /** Of a kernel; where the device cannot tell kernels apart, of all; nothing for a kernel that only helps. */
    Cost cost(String kernel) {
        return costs.entrySet().stream()
                .filter(entry -> kernel.startsWith(entry.getKey()) || kernel.equals("cpu"))
                .map(Map.Entry::getValue)
                .reduce(new Cost(0, 0), Cost::plus);
    }
}
