package headscope.figure;

/** A closed interval of the real line, both ends finite, {@code min < max}. */
public record Range(double min, double max) {
    /** How far beyond an end, relative to the length, still counts as on it: a float's rounding. */
    static final double SLACK = 1e-6;

    /** A scale has at most so many round steps from 0 on, an axis a few more. */
    private static final int STEPS = 5;

    private static final int AXIS_STEPS = 8;

    public Range {
        if (!Double.isFinite(min) || !Double.isFinite(max) || min >= max) {
            throw new IllegalArgumentException("not a range: %s to %s".formatted(min, max));
        }
    }

    /** From 0 to a round number that is not below the value, which is at least 0; from 0 to 1 for 0. */
    public static Range upTo(double value) {
        return value == 0 ? new Range(0, 1) : around(0, value, STEPS);
    }

    /** Between multiples of a round number, a few of which the range holds; one and the same value is its middle. */
    public static Range around(double low, double high) {
        return low < high ? around(low, high, AXIS_STEPS) : new Range(low - 0.5, high + 0.5);
    }

    private static Range around(double low, double high, int most) {
        double slack = SLACK * (high - low);
        for (RoundStep step = RoundStep.atLeast((high - low) / most); ; step = step.next()) {
            long first = (long) Math.floor((low + slack) / step.length());
            long last = (long) Math.ceil((high - slack) / step.length());
            if (last - first <= most) {
                return new Range(step.times(first).doubleValue(), step.times(last).doubleValue());
            }
        }
    }

    /** Where a value lies: 0 at the minimum, 1 at the maximum, outside [0, 1] beyond them. */
    public double fraction(double value) {
        return (value - min) / (max - min);
    }

    /** Whether the value lies between the ends, or on one, but for a float's rounding. */
    public boolean contains(double value) {
        double fraction = fraction(value);
        return -SLACK <= fraction && fraction <= 1 + SLACK;
    }
}
