package headscope.figure;

import java.math.BigDecimal;

/** The distance between ticks: 1, 2 or 5 times a power of ten. */
record RoundStep(int digit, int exponent) {
    /**
     * The smallest step that is at least {@code length}.
     *
     * @param length above 0
     */
    static RoundStep atLeast(double length) {
        RoundStep step = new RoundStep(1, (int) Math.floor(Math.log10(length)) - 1);
        while (step.length() < length) {
            step = step.next();
        }
        return step;
    }

    RoundStep next() {
        return switch (digit) {
            case 1 -> new RoundStep(2, exponent);
            case 2 -> new RoundStep(5, exponent);
            default -> new RoundStep(1, exponent + 1);
        };
    }

    double length() {
        return times(1).doubleValue();
    }

    /** The exact multiple, with as many decimals as the step has. */
    BigDecimal times(long count) {
        return BigDecimal.valueOf(Math.multiplyExact(count, digit), -exponent);
    }
}
