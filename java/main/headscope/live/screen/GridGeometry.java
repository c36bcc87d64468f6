package headscope.live.screen;

import headscope.live.Camera;
import headscope.render.Box;

/**
 * Where the cells of a grid lie on the screen, under a camera. Columns count to the right, rows downwards; a fraction of a
 * column or row is a place inside a cell.
 *
 * @param box the part of the screen that shows the grid, in pixels
 * @param gap part of the distance between two cells that belongs to none, in pixels
 */
public record GridGeometry(Box box, int columns, int rows, double gap, Camera camera) {
    /** From one cell to the next, in pixels, horizontally and vertically. */
    public double pitch() {
        return box.width() * camera.zoom() / columns;
    }

    /** Where the left edge of the box lies on the zoomed grid, in pixels. */
    public double originX() {
        return camera.x() * box.width() * camera.zoom();
    }

    /** Where the upper edge of the box lies on the zoomed grid, in pixels. */
    public double originY() {
        return camera.y() * box.height() * camera.zoom();
    }

    /** The pixel of the left edge of a column. */
    public double left(double column) {
        return box.x() + column * pitch() - originX();
    }

    /** The pixel of the upper edge of a row. */
    public double top(double row) {
        return box.y() + row * pitch() - originY();
    }

    public boolean contains(double x, double y) {
        return box.contains(x, y);
    }

    /** The column under a pixel of the box. */
    public int columnAt(double x) {
        return Math.clamp((long) Math.floor((x - box.x() + originX()) / pitch()), 0, columns - 1);
    }

    /** The row under a pixel of the box. */
    public int rowAt(double y) {
        return Math.clamp((long) Math.floor((y - box.y() + originY()) / pitch()), 0, rows - 1);
    }

    /**
     * The part of a rectangle of cells that the box shows, at least one pixel wide and high; has no width or no height if
     * the box shows nothing of it.
     */
    public Box visible(double column, double row, double columnsWide, double rowsHigh) {
        int[] x = visible(left(column), columnsWide * pitch() - gap, box.x(), box.right());
        int[] y = visible(top(row), rowsHigh * pitch() - gap, box.y(), box.bottom());
        return new Box(x[0], y[0], x[1] - x[0], y[1] - y[0]);
    }

    private static int[] visible(double start, double length, int first, int end) {
        if (start >= end || start + length <= first) {
            int edge = start >= end ? end : first;
            return new int[] {edge, edge};
        }
        int low = Math.clamp(Math.round(start), first, end - 1);
        return new int[] {low, Math.clamp(Math.round(start + length), low + 1, end)};
    }
}
