package headscope.render.layout;
import headscope.figure.Axis;
import headscope.figure.Figure;
import headscope.figure.Panel;
import headscope.render.Box;
import java.util.List;

/** The sizes of a figure's panels. */
final class PanelSize {
    /** Side of the square that holds a panel, in units, by the number of panels per row: 1, 2, 3, 4 or more. */
    private static final double[] SIDES = {468, 468, 380, 300};

    private static final double CURVES_WIDTH = 600;
    private static final double CURVES_HEIGHT = 380;

    /** Side of a cell of an enlarged map, in units, as long as the map's side is within the two limits below. */
    private static final double ENLARGED_CELL = 13;

    private static final double MIN_ENLARGED = 468;
    private static final double MAX_ENLARGED = 700;

    private PanelSize() {}

    /** One box per panel, in pixels, at the origin. */
    static List<Box> of(Figure figure, Sheet sheet, Stretch stretch) {
        if (figure.enlarged().isPresent()) {
            Box enlarged = enlarged(figure.panels().getLast(), sheet, stretch);
            return List.of(grid(figure.panels().getFirst(), enlarged.height(), stretch), enlarged);
        }
        double side = SIDES[Math.min(figure.columns(), SIDES.length) - 1];
        return figure.panels().stream().map(panel -> of(panel, side, sheet, stretch)).toList();
    }

    private static Box of(Panel panel, double side, Sheet sheet, Stretch stretch) {
        if (panel.x() instanceof Axis.Cells columns && panel.y() instanceof Axis.Cells rows) {
            return of(rows.count(), columns.count(), length(side, stretch.across(), sheet),
                    length(side, stretch.down(), sheet));
        }
        return new Box(0, 0, length(CURVES_WIDTH, stretch.across(), sheet),
                length(CURVES_HEIGHT, stretch.down(), sheet));
    }

    /** In pixels, at least one. */
    private static int length(double units, double factor, Sheet sheet) {
        return Math.max(1, sheet.px(units * factor));
    }

    private static Box enlarged(Panel panel, Sheet sheet, Stretch stretch) {
        double side = Math.clamp(Cells.count(panel.y()) * ENLARGED_CELL, MIN_ENLARGED, MAX_ENLARGED);
        return of(panel, side, sheet, stretch);
    }

    /** As high as the enlarged map, so that the pointer between them crosses no label. */
    private static Box grid(Panel panel, int height, Stretch stretch) {
        double natural = Math.clamp((double) Cells.count(panel.x()) / Cells.count(panel.y()), 1.0 / 2, 5.0 / 4);
        double width = height * natural * (stretch.across() / stretch.down());
        return new Box(0, 0, whole(Cells.count(panel.x()), Math.max(1, (int) Math.round(width))), height);
    }

    /** The largest panel in a box of {@code across} x {@code down} pixels; in a square, with square cells if possible. */
    private static Box of(int rows, int columns, int across, int down) {
        // The panel is no narrower than a third of the square.
        double width = across * Math.clamp((double) columns / rows, 1.0 / 3, 1);
        double height = down * Math.clamp((double) rows / columns, 1.0 / 3, 1);
        int cell = across / Math.max(rows, columns);
        boolean square = across == down && Math.max(rows, columns) <= 3 * Math.min(rows, columns);
        if (square && cell > 0 && largeEnough(cell * Math.max(rows, columns), across)) {
            return new Box(0, 0, columns * cell, rows * cell);
        }
        return new Box(0, 0, whole(columns, Math.max(1, (int) Math.round(width))),
                whole(rows, Math.max(1, (int) Math.round(height))));
    }

    /** A length with the same number of whole pixels per cell, unless the panel would shrink a lot. */
    private static int whole(int cells, int length) {
        int snapped = length / cells * cells;
        return largeEnough(snapped, length) ? snapped : length;
    }

    private static boolean largeEnough(int snapped, int length) {
        return snapped >= 0.75 * length;
    }
}
