package headscope.figure;

/** A closed interval of the real line, both ends finite, {@code min < max}. */
public record Range(double min, double max) {
    public Range {
        if (!Double.isFinite(min) || !Double.isFinite(max) || min >= max) {
            throw new IllegalArgumentException("not a range: %s to %s".formatted(min, max));
        }
    }

    /** Where a value lies: 0 at the minimum, 1 at the maximum, outside [0, 1] beyond them. */
    public double fraction(double value) {
        return (value - min) / (max - min);
    }

    /** Whether the value lies between the ends, or on one. */
    public boolean contains(double value) {
        return min <= value && value <= max;
    }
}
