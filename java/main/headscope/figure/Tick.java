package headscope.figure;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/**
 * A labelled place on an axis or a colour bar.
 *
 * @param value index of a cell, or a number on the bar or the axis
 */
public record Tick(double value, String label) {
    /** More digits than this, on either side of the point, are written with an exponent. */
    private static final int PLAIN_DIGITS = 5;

    /** Cells are labelled by multiples of one of these, times a power of ten. */
    private static final int[] CELL_STEPS = {1, 2, 3, 4, 5, 6, 8};

    /** Every cell; or, where there is no room for that, few enough to be seen as a choice. */
    static List<Tick> ofCells(int count, int first, int most) {
        int step = count <= most ? 1 : cellStep(count, Math.max(1, (3 * most + 3) / 4));
        List<Tick> ticks = new ArrayList<>();
        for (int number = Math.ceilDiv(first, step) * step; number < first + count; number += step) {
            ticks.add(new Tick(number - first, Integer.toString(number)));
        }
        return ticks.isEmpty() ? List.of(new Tick(0, Integer.toString(first))) : List.copyOf(ticks);
    }

    /** The shortest that leaves at most so many of the cells. */
    private static int cellStep(int count, int most) {
        for (int power = 1; ; power *= 10) {
            for (int digit : CELL_STEPS) {
                if (Math.ceilDiv(count, digit * power) <= most) {
                    return digit * power;
                }
            }
        }
    }

    /** Multiples of 1, 2 or 5 times a power of ten, the densest that give at most {@code most}. */
    static List<Tick> ofNumbers(Range range, int most) {
        return ofNumbers(range, most, 0);
    }

    /** @param decimals that the labels have at least */
    static List<Tick> ofNumbers(Range range, int most, int decimals) {
        RoundStep step = RoundStep.atLeast((range.max() - range.min()) / (2.0 * Math.max(1, most)));
        while (true) {
            List<Tick> ticks = multiples(range, step, decimals);
            if (ticks.size() <= Math.max(1, most)) {
                return ticks;
            }
            step = step.next();
        }
    }

    /** The same, the last at the top and marked with a plus. */
    static List<Tick> upTo(Range range, int most, int decimals) {
        List<Tick> ticks = new ArrayList<>(ofNumbers(range, most, decimals));
        double step = ticks.size() > 1 ? ticks.get(1).value() - ticks.get(0).value() : range.max() - range.min();
        ticks.removeIf(tick -> range.max() - tick.value() < 0.75 * step);
        BigDecimal top = BigDecimal.valueOf(range.max()).stripTrailingZeros();
        ticks.add(new Tick(range.max(), label(top, -top.scale(), decimals) + "+"));
        return List.copyOf(ticks);
    }

    private static List<Tick> multiples(Range range, RoundStep step, int decimals) {
        double slack = Range.SLACK * (range.max() - range.min());
        List<Tick> ticks = new ArrayList<>();
        for (long k = (long) Math.ceil((range.min() - slack) / step.length());
                k * step.length() <= range.max() + slack;
                k++) {
            BigDecimal exact = step.times(k);
            ticks.add(new Tick(exact.doubleValue(), label(exact, step.exponent(), decimals)));
        }
        return List.copyOf(ticks);
    }

    private static String label(BigDecimal value, int exponent, int decimals) {
        boolean tiny = exponent < -PLAIN_DIGITS;
        if (value.signum() == 0) {
            return tiny ? "0" : plain(value, decimals);
        }
        if (tiny || value.precision() - value.scale() > PLAIN_DIGITS + 1) {
            BigDecimal shortest = value.stripTrailingZeros();
            int power = shortest.precision() - shortest.scale() - 1;
            return shortest.movePointLeft(power).toPlainString() + "e" + power;
        }
        return plain(value, decimals);
    }

    private static String plain(BigDecimal value, int decimals) {
        return value.setScale(Math.max(value.scale(), decimals)).toPlainString();
    }
}
