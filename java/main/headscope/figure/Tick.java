package headscope.figure;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/**
 * A labelled position on an axis or a colour bar.
 *
 * @param value cell index, or a number on the axis or the bar
 */
public record Tick(double value, String label) {
    /** Numbers with more digits than this, on either side of the decimal point, are written with an exponent. */
    private static final int PLAIN_DIGITS = 5;

    /** Labelled cells are multiples of one of these, times a power of ten. */
    private static final int[] CELL_STEPS = {1, 2, 3, 4, 5, 6, 8};

    /** Every cell if {@code limit} allows it; otherwise about three quarters of the limit, so that the gaps show. */
    static List<Tick> ofCells(int count, int first, int limit) {
        int step = count <= limit ? 1 : cellStep(count, Math.max(1, (3 * limit + 3) / 4));
        List<Tick> ticks = new ArrayList<>();
        for (int number = Math.ceilDiv(first, step) * step; number < first + count; number += step) {
            ticks.add(new Tick(number - first, Integer.toString(number)));
        }
        return ticks.isEmpty() ? List.of(new Tick(0, Integer.toString(first))) : List.copyOf(ticks);
    }

    /** The smallest step with at most {@code limit} multiples among the cells. */
    private static int cellStep(int count, int limit) {
        for (int power = 1; ; power *= 10) {
            for (int digit : CELL_STEPS) {
                if (Math.ceilDiv(count, digit * power) <= limit) {
                    return digit * power;
                }
            }
        }
    }

    /** Multiples of 1, 2 or 5 times a power of ten, as many as possible up to {@code limit}. */
    static List<Tick> ofNumbers(Range range, int limit) {
        return ofNumbers(range, limit, 0);
    }

    /** @param decimals minimum number of decimals of the labels */
    static List<Tick> ofNumbers(Range range, int limit, int decimals) {
        RoundStep step = RoundStep.atLeast((range.max() - range.min()) / (2.0 * Math.max(1, limit)));
        while (true) {
            List<Tick> ticks = multiples(range, step, decimals);
            if (ticks.size() <= Math.max(1, limit)) {
                return ticks;
            }
            step = step.next();
        }
    }

    /** The same, but the last tick is the maximum of the range and its label ends with a plus. */
    static List<Tick> upTo(Range range, int limit, int decimals) {
        List<Tick> ticks = new ArrayList<>(ofNumbers(range, limit, decimals));
        double step = ticks.size() > 1 ? ticks.get(1).value() - ticks.get(0).value() : range.max() - range.min();
        ticks.removeIf(tick -> range.max() - tick.value() < 0.75 * step);
        BigDecimal top = BigDecimal.valueOf(range.max()).stripTrailingZeros();
        ticks.add(new Tick(range.max(), label(top, -top.scale(), decimals) + "+"));
        return List.copyOf(ticks);
    }

    /** Powers of ten; every n-th of them if there are more than {@code limit}. */
    static List<Tick> ofPowers(Range range, int limit) {
        int first = (int) Math.ceil(Math.log10(range.min()) - Range.SLACK);
        int last = (int) Math.floor(Math.log10(range.max()) + Range.SLACK);
        int step = Math.ceilDiv(last - first + 1, Math.max(1, limit));
        List<Tick> ticks = new ArrayList<>();
        for (int power = first; power <= last; power += Math.max(1, step)) {
            BigDecimal exact = BigDecimal.ONE.scaleByPowerOfTen(power);
            ticks.add(new Tick(exact.doubleValue(), label(exact.setScale(Math.max(0, -power)), power, 0)));
        }
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
