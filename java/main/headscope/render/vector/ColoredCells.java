package headscope.render.vector;

import headscope.figure.ColorBar;
import headscope.figure.MaxPooling;
import headscope.render.Box;
import headscope.render.layout.Cells;
import headscope.render.layout.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The colours of a heat map's cells, pooled where they are too small, as the shader {@code heatmap} draws
 * them.
 *
 * @param argb [rows, columns], row-major, 0xFFRRGGBB
 */
record ColoredCells(int rows, int columns, int[] argb) {
    static ColoredCells of(Shape.Colors colors) {
        MaxPooling pooling = colors.pooling();
        float[] values = new float[pooling.pooledRows() * pooling.pooledColumns()];
        pooling.apply(colors.map().values(), values);
        int[] argb = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            argb[i] = 0xFF000000 | color(colors.bar(), values[i]);
        }
        return new ColoredCells(pooling.pooledRows(), pooling.pooledColumns(), argb);
    }

    /** In single precision, as on a GPU. */
    private static int color(ColorBar bar, float value) {
        float min = (float) bar.range().min();
        float max = (float) bar.range().max();
        return bar.colormap().at((value - min) / (max - min));
    }

    /**
     * The boxes of each colour, 0xRRGGBB; equal cells below each other share one.
     *
     * @param overlap pixels by which they extend to the right and downwards, within the map
     */
    SortedMap<Integer, List<Box>> boxes(Box box, int overlap) {
        SortedMap<Integer, List<Box>> boxes = new TreeMap<>();
        for (int column = 0; column < columns; column++) {
            int left = Cells.edge(box.width(), columns, column);
            int right = Math.min(Cells.edge(box.width(), columns, column + 1) + overlap, box.width());
            for (int row = 0; row < rows; ) {
                int color = argb[row * columns + column];
                int top = Cells.edge(box.height(), rows, row);
                while (row < rows && argb[row * columns + column] == color) {
                    row++;
                }
                int bottom = Math.min(Cells.edge(box.height(), rows, row) + overlap, box.height());
                boxes.computeIfAbsent(color & 0xFFFFFF, _ -> new ArrayList<>())
                        .add(new Box(box.x() + left, box.y() + top, right - left, bottom - top));
            }
        }
        return boxes;
    }
}
