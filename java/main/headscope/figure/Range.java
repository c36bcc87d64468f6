package headscope.figure;

/** A closed interval of the real line, both ends finite, {@code min < max}. */
public record Range(double min, double max) {
    /** How far beyond an end, relative to the length, still counts as on it: a float's rounding. */
    static final double SLACK = 1e-6;

    /** A range that is rounded has at most so many round steps. */
    private static final int STEPS = 5;

    public Range {
        if (!Double.isFinite(min) || !Double.isFinite(max) || min >= max) {
            throw new IllegalArgumentException("not a range: %s to %s".formatted(min, max));
        }
    }

    /** From 0 to a round number that is not below the value, which is at least 0; from 0 to 1 for 0. */
    public static Range upTo(double value) {
        return value == 0 ? new Range(0, 1) : around(0, value);
    }

    /** The narrowest range between multiples of a round number, a few of them, that holds two values. */
    public static Range around(double low, double high) {
        double least = low < high ? low : low - 0.5;
        double most = low < high ? high : high + 0.5;
        double slack = SLACK * (most - least);
        for (RoundStep step = RoundStep.atLeast((most - least) / STEPS); ; step = step.next()) {
            long first = (long) Math.floor((least + slack) / step.length());
            long last = (long) Math.ceil((most - slack) / step.length());
            if (last - first <= STEPS) {
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
