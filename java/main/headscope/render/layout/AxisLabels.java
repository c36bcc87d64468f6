package headscope.render.layout;
import headscope.figure.Axis;
import headscope.figure.Tick;
import headscope.render.Box;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Labels along an edge of a panel, as many as fit.
 *
 * @param texts     may be shortened
 * @param positions of their middles, in pixels from the left or upper end of the edge
 * @param size      pixels per em
 * @param words     whether the texts are words, which are perpendicular to the edge, or numbers, which are level
 * @param ticked    whether each label has a tick mark
 * @param gridded   whether pale lines cross the panel at the labels
 */
record AxisLabels(
        List<String> texts, double[] positions, float size, boolean words, boolean ticked, boolean gridded) {
    static final AxisLabels NONE = new AxisLabels(List.of(), new double[0], 0, false, false, false);

    /** Minimum distance between ticks, in units. */
    private static final double TICK_DISTANCE = 34;

    /** @param length of the edge, in pixels */
    static AxisLabels of(Axis axis, Side side, int length, Sheet sheet) {
        return switch (axis) {
            case Axis.Named names -> CellNames.of(names.names(), CellNames.MAX_LENGTH, length, sheet);
            case Axis.Categories names -> CellNames.of(names.names(), Double.POSITIVE_INFINITY, length, sheet);
            case Axis.Numbered cells -> numbered(cells, side, length, sheet);
            case Axis.Continuous numbers when side == Side.LEFT -> vertical(numbers, length, sheet);
            case Axis.Continuous numbers -> horizontal(numbers, length, sheet);
        };
    }

    private static AxisLabels numbered(Axis.Numbered cells, Side side, int length, Sheet sheet) {
        String last = Integer.toString(cells.first() + cells.count() - 1);
        double distance = side == Side.LEFT ? sheet.scale * TICK_DISTANCE : distance(last, sheet);
        List<Tick> ticks = cells.ticks((int) (length / distance));
        double[] positions =
                ticks.stream().mapToDouble(tick -> (tick.value() + 0.5) * length / cells.count()).toArray();
        return numbers(ticks, positions, false, sheet);
    }

    private static AxisLabels vertical(Axis.Continuous axis, int length, Sheet sheet) {
        List<Tick> ticks = axis.ticks(limit(length, sheet));
        double[] positions = ticks.stream()
                .mapToDouble(tick -> (1 - axis.fraction(tick.value())) * length)
                .toArray();
        return numbers(ticks, positions, true, sheet);
    }

    private static AxisLabels horizontal(Axis.Continuous axis, int length, Sheet sheet) {
        for (int limit = limit(length, sheet); ; limit--) {
            List<Tick> ticks = axis.ticks(limit);
            double[] positions = ticks.stream()
                    .mapToDouble(tick -> axis.fraction(tick.value()) * length)
                    .toArray();
            double distance = ticks.stream().mapToDouble(tick -> distance(tick.label(), sheet)).max().orElse(0);
            if (limit == 1 || IntStream.range(1, positions.length)
                    .allMatch(i -> positions[i] - positions[i - 1] >= distance)) {
                return numbers(ticks, positions, false, sheet);
            }
        }
    }

    private static AxisLabels numbers(List<Tick> ticks, double[] positions, boolean gridded, Sheet sheet) {
        return new AxisLabels(ticks.stream().map(Tick::label).toList(), positions, sheet.size(Sheet.TICK_SIZE), false,
                true, gridded);
    }

    private static int limit(int length, Sheet sheet) {
        return Math.max(2, (int) (length / (sheet.scale * TICK_DISTANCE)));
    }

    /** Minimum distance between the middles of labels side by side. */
    private static double distance(String label, Sheet sheet) {
        return Math.max(sheet.scale * TICK_DISTANCE,
                sheet.measure.width(label, sheet.size(Sheet.TICK_SIZE)) + sheet.px(Sheet.LABEL_GAP));
    }

    /** From the panel's cells to the far side of the labels, in pixels; the frame alone without labels. */
    int extent(Side side, Sheet sheet) {
        if (texts.isEmpty()) {
            return sheet.line;
        }
        return distance(sheet) + Sheet.up(parallel(side) ? sheet.measure.capHeight(size) : sheet.widest(texts, size));
    }

    /** Pixels that the margin adds: one for the rounding of text boxes, and descenders for level numbers. */
    int slack(Side side, Sheet sheet) {
        if (texts.isEmpty()) {
            return 0;
        }
        return parallel(side) ? 1 + Sheet.up(sheet.measure.descent(size)) : words ? 1 : 0;
    }

    void draw(Edge edge) {
        Sheet sheet = edge.sheet();
        Box panel = edge.panel();
        for (int i = 0; i < positions.length; i++) {
            double along = edge.start() + positions[i];
            if (ticked) {
                edge.rule(sheet.edge(along), sheet.line, sheet.line, sheet.px(Sheet.TICK));
            }
            if (gridded && positions[i] > 1 && positions[i] < panel.height() - 1) {
                sheet.gridLines.add(new Box(panel.x(), sheet.edge(along), panel.width(), sheet.line));
            }
            if (parallel(edge.side())) {
                // digits are only as high as capitals
                int lower = Sheet.up(sheet.measure.ascent(size)) - Sheet.up(sheet.measure.capHeight(size));
                edge.parallel(texts.get(i), size, along, distance(sheet) - lower);
            } else {
                long baseline = words ? sheet.middleOfWords(along, size) : sheet.middle(along, size);
                edge.perpendicular(texts.get(i), size, baseline, distance(sheet));
            }
        }
    }

    private boolean parallel(Side side) {
        return !words && side != Side.LEFT;
    }

    /** From the panel's cells to the labels, in pixels. */
    private int distance(Sheet sheet) {
        return sheet.line + sheet.px(Sheet.GAP) + (ticked ? sheet.px(Sheet.TICK) : 0);
    }
}
