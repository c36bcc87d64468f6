package headscope.render;

import headscope.figure.Axis;
import headscope.figure.Figure;
import headscope.figure.Panel;
import java.util.List;

/** How large the panels of a figure become, in pixels. */
final class PanelSize {
    /** Side of a panel's square, in units, for one or two, three, four and more panels in a row. */
    private static final double[] SIDES = {468, 468, 380, 300};

    private static final double CURVES_WIDTH = 600;
    private static final double CURVES_HEIGHT = 380;

    /** Room for a cell of an enlarged map, in units; the map's side stays between the two below. */
    private static final double ENLARGED_CELL = 13;

    private static final double SMALLEST_ENLARGED = 468;
    private static final double LARGEST_ENLARGED = 700;

    private PanelSize() {}

    /** At the origin, one per panel. */
    static List<Box> of(Figure figure, Sheet sheet) {
        if (figure.enlarged().isPresent()) {
            Box enlarged = enlarged(figure.panels().getLast(), sheet);
            return List.of(grid(figure.panels().getFirst(), enlarged.height()), enlarged);
        }
        int side = sheet.px(SIDES[Math.min(figure.columns(), SIDES.length) - 1]);
        return figure.panels().stream().map(panel -> of(panel, side, sheet)).toList();
    }

    private static Box of(Panel panel, int side, Sheet sheet) {
        if (panel.x() instanceof Axis.Cells columns && panel.y() instanceof Axis.Cells rows) {
            return of(rows.count(), columns.count(), side);
        }
        return new Box(0, 0, sheet.px(CURVES_WIDTH), sheet.px(CURVES_HEIGHT));
    }

    private static Box enlarged(Panel panel, Sheet sheet) {
        double side = Math.clamp(Cells.count(panel.y()) * ENLARGED_CELL, SMALLEST_ENLARGED, LARGEST_ENLARGED);
        return of(panel, sheet.px(side), sheet);
    }

    /** As high as what is enlarged out of it, so that lines between their corners pass over no label. */
    private static Box grid(Panel panel, int height) {
        double width = height * Math.clamp((double) Cells.count(panel.x()) / Cells.count(panel.y()), 1.0 / 2, 5.0 / 4);
        return new Box(0, 0, whole(Cells.count(panel.x()), (int) Math.round(width)), height);
    }

    /** A panel that fits a square of {@code side} pixels. */
    private static Box of(int rows, int columns, int side) {
        // Square cells, unless the panel would become a strip; then a third of the square's side.
        double width = side * Math.clamp((double) columns / rows, 1.0 / 3, 1);
        double height = side * Math.clamp((double) rows / columns, 1.0 / 3, 1);
        int cell = side / Math.max(rows, columns);
        boolean square = Math.max(rows, columns) <= 3 * Math.min(rows, columns);
        if (square && worth(cell * Math.max(rows, columns), side)) {
            return new Box(0, 0, columns * cell, rows * cell);
        }
        return new Box(0, 0, whole(columns, (int) Math.round(width)), whole(rows, (int) Math.round(height)));
    }

    /** Cells of equally many whole pixels, unless the panel would lose much of its size. */
    private static int whole(int cells, int length) {
        int snapped = length / cells * cells;
        return worth(snapped, length) ? snapped : length;
    }

    private static boolean worth(int snapped, int length) {
        return snapped >= 0.75 * length;
    }
}
