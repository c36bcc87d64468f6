package headscope.timing;

import headscope.backend.Backend;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.DoubleSupplier;
import java.util.function.Function;

/**
 * An operation to be timed.
 *
 * @param seconds runs it on a backend; returns the time of each kernel
 * @param costs   costs of kernels, by prefixes of their names
 */
record Work(String operation, Function<Backend, Map<String, Double>> seconds, SequencedMap<String, Cost> costs) {
    /** The name of the only measurement of work that is timed from its start to its end, gaps between kernels included. */
    static final String WALL_CLOCK = "wall clock";

    /** Each kernel is measured. */
    static Work of(String operation, Runnable body) {
        return new Work(operation, backend -> backend.time(body), new LinkedHashMap<>());
    }

    /** The kernels' times are added to one measurement, "all". */
    static Work whole(String operation, Runnable body) {
        return new Work(operation,
                backend -> Map.of("all", backend.time(body).values().stream().mapToDouble(Double::doubleValue).sum()),
                new LinkedHashMap<>());
    }

    /** @param seconds runs work that ends when its result is on the host, and returns the time that it took */
    static Work wallClock(String operation, DoubleSupplier seconds) {
        return new Work(operation, _ -> Map.of(WALL_CLOCK, seconds.getAsDouble()), new LinkedHashMap<>());
    }

    /** Seconds that a call takes. */
    static double seconds(Runnable call) {
        long start = System.nanoTime();
        call.run();
        return (System.nanoTime() - start) / 1e9;
    }

    Work with(String kernel, Cost cost) {
        costs.put(kernel, cost);
        return this;
    }

    /** Cost of a kernel; of all kernels for "cpu"; 0 for an auxiliary kernel. */
    Cost cost(String kernel) {
        return costs.entrySet().stream()
                .filter(entry -> kernel.startsWith(entry.getKey()) || kernel.equals("cpu"))
                .map(Map.Entry::getValue)
                .reduce(new Cost(0, 0), Cost::plus);
    }
}
