package headscope.timing;

/**
 * One kernel's time.
 *
 * @param kernel as the device calls it; "cpu" where it cannot tell kernels apart
 * @param median seconds, as least and most, of so many runs
 * @param peakBytes in buffers at once, the operands included
 */
public record Measurement(
        String shape, int tokens, String dtype, String operation, String kernel, int runs, double median, double least,
        double most, double operations, double bytes, long peakBytes) {
    public double teraflops() {
        return operations / median / 1e12;
    }

    public double gigabytesPerSecond() {
        return bytes / median / 1e9;
    }

    /** Half the distance between the fastest and the slowest run, relative to the median. */
    public double noise() {
        return (most - least) / 2 / median;
    }

    /** What two runs of the program have in common where they timed the same. */
    public String name() {
        return "%s, %d tokens, %s: %s, %s".formatted(shape, tokens, dtype, operation, kernel);
    }
}
