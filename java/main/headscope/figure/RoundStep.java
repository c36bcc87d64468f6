package headscope.figure;

import java.math.BigDecimal;

/** 1, 2 or 5 times a power of ten: what ticks are multiples of. */
record RoundStep(int digit, int exponent) {
    /** The shortest step that is not below a length above 0. */
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

    /** Exact, with as many decimals as the step has. */
    BigDecimal times(long count) {
        return BigDecimal.valueOf(Math.multiplyExact(count, digit), -exponent);
    }
}
