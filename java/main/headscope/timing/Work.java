package headscope.timing;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * One operation to be timed.
 *
 * @param costs of the kernels that it consists of, by the beginning of their names
 */
record Work(String operation, Runnable body, SequencedMap<String, Cost> costs) {
    static Work of(String operation, Runnable body) {
        return new Work(operation, body, new LinkedHashMap<>());
    }

    Work with(String kernel, Cost cost) {
        costs.put(kernel, cost);
        return this;
    }

    /** Of a kernel; where the device cannot tell kernels apart, of all; nothing for a kernel that only helps. */
    Cost cost(String kernel) {
        return costs.entrySet().stream()
                .filter(entry -> kernel.startsWith(entry.getKey()) || kernel.equals("cpu"))
                .map(Map.Entry::getValue)
                .reduce(new Cost(0, 0), Cost::plus);
    }
}
