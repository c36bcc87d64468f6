package headscope.render;

import headscope.figure.Axis;
import headscope.figure.Tick;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The ticks of an axis for which there is room.
 *
 * @param places per tick, in pixels from the left or upper end of the side
 */
record AxisTicks(List<Tick> ticks, double[] places) {
    /** Ticks are at least this far apart, in units. */
    private static final double DISTANCE = 34;

    static AxisTicks down(Axis.Numbered cells, int length, Sheet sheet) {
        return of(cells, cells.ticks((int) (length / (sheet.scale * DISTANCE))), length);
    }

    static AxisTicks across(Axis.Numbered cells, int length, Sheet sheet) {
        String last = Integer.toString(cells.first() + cells.count() - 1);
        return of(cells, cells.ticks((int) (length / distance(last, sheet))), length);
    }

    static AxisTicks up(Axis.Numbers numbers, int length, Sheet sheet) {
        List<Tick> ticks = numbers.ticks(Math.max(2, (int) (length / (sheet.scale * DISTANCE))));
        return new AxisTicks(ticks, ticks.stream()
                .mapToDouble(tick -> (1 - numbers.range().fraction(tick.value())) * length)
                .toArray());
    }

    static AxisTicks across(Axis.Numbers numbers, int length, Sheet sheet) {
        int most = Math.max(2, (int) (length / (sheet.scale * DISTANCE)));
        while (true) {
            List<Tick> ticks = numbers.ticks(most);
            double[] places = ticks.stream()
                    .mapToDouble(tick -> numbers.range().fraction(tick.value()) * length)
                    .toArray();
            double distance = ticks.stream().mapToDouble(tick -> distance(tick.label(), sheet)).max().orElse(0);
            if (most == 1 || IntStream.range(1, places.length).allMatch(i -> places[i] - places[i - 1] >= distance)) {
                return new AxisTicks(ticks, places);
            }
            most--;
        }
    }

    private static AxisTicks of(Axis.Numbered cells, List<Tick> ticks, int length) {
        return new AxisTicks(ticks,
                ticks.stream().mapToDouble(tick -> (tick.value() + 0.5) * length / cells.count()).toArray());
    }

    /** Between the middles of labels that stand side by side. */
    private static double distance(String label, Sheet sheet) {
        return Math.max(sheet.scale * DISTANCE,
                sheet.measure.width(label, sheet.size(Sheet.TICK_SIZE)) + sheet.px(Sheet.LABEL_GAP));
    }
}
