package headscope.render;

import headscope.figure.Axis;
import headscope.figure.Figure;
import headscope.figure.Panel;
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
        double side = Math.clamp(Cells.count(panel.y()) * ENLARGED_CELL, MIN_ENLARGED, MAX_ENLARGED);
        return of(panel, sheet.px(side), sheet);
    }

    /** As high as the enlarged map, so that the pointer between them crosses no label. */
    private static Box grid(Panel panel, int height) {
        double width = height * Math.clamp((double) Cells.count(panel.x()) / Cells.count(panel.y()), 1.0 / 2, 5.0 / 4);
        return new Box(0, 0, whole(Cells.count(panel.x()), (int) Math.round(width)), height);
    }

    /** The largest panel in a square of {@code side} pixels. */
    private static Box of(int rows, int columns, int side) {
        // Square cells, unless the panel would become narrower than a third of the square.
        double width = side * Math.clamp((double) columns / rows, 1.0 / 3, 1);
        double height = side * Math.clamp((double) rows / columns, 1.0 / 3, 1);
        int cell = side / Math.max(rows, columns);
        boolean square = Math.max(rows, columns) <= 3 * Math.min(rows, columns);
        if (square && largeEnough(cell * Math.max(rows, columns), side)) {
            return new Box(0, 0, columns * cell, rows * cell);
        }
        return new Box(0, 0, whole(columns, (int) Math.round(width)), whole(rows, (int) Math.round(height)));
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
