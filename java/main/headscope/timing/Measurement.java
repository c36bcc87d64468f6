package headscope.timing;

/**
 * Times of one kernel.
 *
 * @param kernel    name of the kernel; "cpu" on a device without kernels
 * @param median    of the runs, in seconds, as fastest and slowest
 * @param peakBytes peak memory, including operands
 */
public record Measurement(
        String shape, int tokens, String dtype, String operation, String kernel, int runs, double median, double fastest,
        double slowest, double operations, double bytes, long peakBytes) {
    public double teraflops() {
        return operations / median / 1e12;
    }

    public double gigabytesPerSecond() {
        return bytes / median / 1e9;
    }

    /** Half the distance between the fastest and the slowest run, relative to the median. */
    public double noise() {
        return (slowest - fastest) / 2 / median;
    }

    /** Identifies the same measurement in another run of the program. */
    public String name() {
        return "%s, %d tokens, %s: %s, %s".formatted(shape, tokens, dtype, operation, kernel);
    }
}
