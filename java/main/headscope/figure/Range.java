package headscope.figure;

/** A closed interval with finite ends, {@code min < max}. */
public record Range(double min, double max) {
    /** Tolerance at the ends, relative to the length: the rounding of a float. */
    static final double SLACK = 1e-6;

    /** Maximum number of round steps on a colour bar. */
    private static final int BAR_STEPS = 5;

    /** Maximum number of round steps on an axis. */
    private static final int AXIS_STEPS = 8;

    public Range {
        if (!Double.isFinite(min) || !Double.isFinite(max) || min >= max) {
            throw new IllegalArgumentException("not a range: %s to %s".formatted(min, max));
        }
    }

    /**
     * From 0 to a round number that is at least {@code value}; from 0 to 1 if the value is 0.
     *
     * @param value at least 0
     */
    public static Range upTo(double value) {
        return value == 0 ? new Range(0, 1) : around(0, value, BAR_STEPS);
    }

    /** A range around both values that ends at multiples of a round number; equal values become its middle. */
    public static Range around(double low, double high) {
        if (low < high) {
            return around(low, high, AXIS_STEPS);
        }
        double margin = Math.max(0.5, SLACK * Math.abs(low)); // 0.5 is lost in huge values
        return new Range(low - margin, low + margin);
    }

    private static Range around(double low, double high, int limit) {
        double slack = SLACK * (high - low);
        for (RoundStep step = RoundStep.atLeast((high - low) / limit); ; step = step.next()) {
            long first = (long) Math.floor((low + slack) / step.length());
            long last = (long) Math.ceil((high - slack) / step.length());
            if (last - first <= limit) {
                return new Range(step.times(first).doubleValue(), step.times(last).doubleValue());
            }
        }
    }

    /** The relative position of a value: 0 at the minimum, 1 at the maximum, outside [0, 1] beyond them. */
    public double fraction(double value) {
        return (value - min) / (max - min);
    }

    /** Whether the value lies within the range, up to {@link #SLACK}. */
    public boolean contains(double value) {
        double fraction = fraction(value);
        return -SLACK <= fraction && fraction <= 1 + SLACK;
    }
}
