package headscope.figure;

import java.util.List;

/**
 * One pair of axes and what is drawn between them.
 *
 * @param marks the first lies lowest
 */
public record Panel(String title, Axis x, Axis y, List<Mark> marks) {
    public Panel {
        marks = List.copyOf(marks);
        for (Mark mark : marks) {
            check(title, x.count(), y.count(), mark);
        }
    }

    private static void check(String title, int columns, int rows, Mark mark) {
        switch (mark) {
            case Mark.Heatmap map -> {
                if (map.rows() != rows || map.columns() != columns) {
                    throw new IllegalArgumentException("%s: a map of %d x %d on axes of %d x %d"
                            .formatted(title, map.rows(), map.columns(), rows, columns));
                }
            }
            case Mark.CellMarkers markers -> {
                for (Mark.Cell cell : markers.cells()) {
                    if (cell.row() < 0 || cell.row() >= rows || cell.column() < 0 || cell.column() >= columns) {
                        throw new IllegalArgumentException(
                                "%s: %s on axes of %d x %d".formatted(title, cell, rows, columns));
                    }
                }
            }
        }
    }
}
