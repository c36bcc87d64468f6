package headscope.figure;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/**
 * A labelled place on an axis or a colour bar.
 *
 * @param value index of a cell, or a number on the bar
 */
public record Tick(double value, String label) {
    /** How far beyond its range, relative to the length of it, a round number still gets a tick: a float's rounding. */
    private static final double SLACK = 1e-6;

    /** More digits than this, on either side of the point, are written with an exponent. */
    private static final int PLAIN_DIGITS = 5;

    static List<Tick> ofCells(int count, int most) {
        long step = 1;
        while ((count + step - 1) / step > Math.max(1, most)) {
            step *= 2;
        }
        List<Tick> ticks = new ArrayList<>();
        for (long cell = 0; cell < count; cell += step) {
            ticks.add(new Tick(cell, Long.toString(cell)));
        }
        return List.copyOf(ticks);
    }

    /** Multiples of 1, 2 or 5 times a power of ten, the densest that give at most {@code most}. */
    static List<Tick> ofNumbers(Range range, int most) {
        int exponent = (int) Math.floor(Math.log10((range.max() - range.min()) / Math.max(1, most))) - 1;
        while (true) {
            for (int digit : new int[] {1, 2, 5}) {
                List<Tick> ticks = multiples(range, digit, exponent);
                if (ticks.size() <= Math.max(1, most)) {
                    return ticks;
                }
            }
            exponent++;
        }
    }

    private static List<Tick> multiples(Range range, int digit, int exponent) {
        double step = digit * Math.pow(10, exponent);
        double slack = SLACK * (range.max() - range.min());
        List<Tick> ticks = new ArrayList<>();
        for (long k = (long) Math.ceil((range.min() - slack) / step); k * step <= range.max() + slack; k++) {
            BigDecimal exact = BigDecimal.valueOf(Math.multiplyExact(k, digit), -exponent);
            ticks.add(new Tick(exact.doubleValue(), label(exact, exponent)));
        }
        return List.copyOf(ticks);
    }

    private static String label(BigDecimal value, int exponent) {
        if (value.signum() == 0) {
            return exponent < 0 && exponent >= -PLAIN_DIGITS ? value.toPlainString() : "0";
        }
        if (exponent < -PLAIN_DIGITS || value.precision() - value.scale() > PLAIN_DIGITS + 1) {
            BigDecimal shortest = value.stripTrailingZeros();
            int power = shortest.precision() - shortest.scale() - 1;
            return shortest.movePointLeft(power).toPlainString() + "e" + power;
        }
        return value.toPlainString();
    }
}
