package headscope.render.layout;
import headscope.figure.Axis;
import headscope.figure.Mark;
import headscope.figure.MaxPooling;
import headscope.figure.Panel;
import headscope.render.Box;
import java.util.ArrayList;
import java.util.List;

/** The positions of a panel's cells. */
public final class Cells {
    /** Cells narrower than this, in pixels, have no lines between them. */
    private static final int MIN_CELL = 6;

    /** Minimum ratio between the width of a cell and that of a line. */
    private static final int CELL_PER_LINE = 24;

    /** Minimum side of a cell of a token map, in units: a single row beside the frame is still seen in a reduced picture. */
    private static final double MIN_TOKENS = 2;

    private Cells() {}

    /** Number of cells of an axis. */
    static int count(Axis axis) {
        if (axis instanceof Axis.Cells cells) {
            return cells.count();
        }
        throw new IllegalArgumentException("the axis " + axis.label() + " has no cells");
    }

    /**
     * The cells of a map that are drawn: those of several tokens where tokens would be too small, and those of pixels where
     * other cells are smaller than pixels.
     *
     * @param scale pixels per unit of the layout
     */
    static MaxPooling pooling(Box panel, Panel axes, Mark.Heatmap map, double scale) {
        if (!axes.showsTokens(map)) {
            return MaxPooling.toPixels(map, panel.height(), panel.width());
        }
        int side = Math.max(1, (int) Math.round(MIN_TOKENS * scale));
        return MaxPooling.ofTokens(map, panel.height() / side, panel.width() / side);
    }

    /** A cell's box, in pixels. */
    static Box box(Box panel, Panel axes, Mark.Cell cell) {
        int x = edge(panel.width(), count(axes.x()), cell.column());
        int y = edge(panel.height(), count(axes.y()), cell.row());
        return new Box(panel.x() + x, panel.y() + y, edge(panel.width(), count(axes.x()), cell.column() + 1) - x,
                edge(panel.height(), count(axes.y()), cell.row() + 1) - y);
    }

    /**
     * Lines between columns and between rows.
     *
     * @param scale pixels per unit of the layout
     */
    static List<Box> separators(Box panel, Panel axes, double scale) {
        List<Box> rules = new ArrayList<>();
        int columns = count(axes.x());
        int rows = count(axes.y());
        int cell = Math.min(panel.width() / columns, panel.height() / rows);
        if (cell < MIN_CELL) {
            return rules;
        }
        int line = Math.max(1, Math.min((int) Math.round(scale), cell / CELL_PER_LINE));
        for (int column = 1; column < columns; column++) {
            rules.add(new Box(
                    panel.x() + edge(panel.width(), columns, column) - line / 2, panel.y(), line, panel.height()));
        }
        for (int row = 1; row < rows; row++) {
            rules.add(new Box(
                    panel.x(), panel.y() + edge(panel.height(), rows, row) - line / 2, panel.width(), line));
        }
        return rules;
    }

    /** The first pixel of a cell, rounded like in the heat map's shader. */
    public static int edge(int length, int cells, int cell) {
        return (int) Math.ceil((double) cell * length / cells - 0.5);
    }
}
