package headscope.figure;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A pair of axes and the marks between them.
 *
 * @param title may be empty
 * @param bar   the scale of the panel's heat maps; panels may share one
 * @param marks in drawing order
 */
public record Panel(String title, Axis x, Axis y, Optional<ColorBar> bar, List<Mark> marks) {
    public Panel {
        title = Visible.text(title);
        marks = List.copyOf(marks);
        for (Mark mark : marks) {
            check(title, x, y, bar, mark);
        }
    }

    private static void check(String title, Axis x, Axis y, Optional<ColorBar> bar, Mark mark) {
        switch (mark) {
            case Mark.Heatmap map -> {
                int rows = cells(title, y);
                int columns = cells(title, x);
                if (map.rows() % rows != 0 || map.columns() % columns != 0) {
                    throw new IllegalArgumentException("%s: a map of %d x %d on axes of %d x %d"
                            .formatted(title, map.rows(), map.columns(), rows, columns));
                }
                checkValues(title, bar, map.values());
            }
            case Mark.CellMarkers markers -> {
                for (Mark.Cell cell : markers.cells()) {
                    checkCell(title, x, y, cell);
                }
            }
            case Mark.Separators _ -> {
                cells(title, x);
                cells(title, y);
            }
            case Mark.Line line -> {
                check(title, numbers(title, x), line.x());
                check(title, numbers(title, y), line.y());
            }
            case Mark.Points points -> {
                check(title, numbers(title, x), points.x());
                check(title, numbers(title, y), points.y());
            }
            case Mark.Bars bars -> {
                if (bars.ends().length != cells(title, y)) {
                    throw new IllegalArgumentException(
                            "%s: %d bars for %d cells".formatted(title, bars.ends().length, cells(title, y)));
                }
                check(title, numbers(title, x), bars.ends());
            }
        }
    }

    Panel withBar(Optional<ColorBar> other) {
        return new Panel(title, x, y, other, marks);
    }

    /** Whether the panel has one cell per head: numbered axes, and as many cells as its heat maps have values. */
    boolean showsHeads() {
        return x instanceof Axis.Numbered columns && y instanceof Axis.Numbered rows
                && marks.stream().allMatch(mark -> !(mark instanceof Mark.Heatmap map)
                        || map.rows() == rows.count() && map.columns() == columns.count());
    }

    /** Whether each cell of one of its maps is a pair of tokens. */
    public boolean showsTokens(Mark.Heatmap map) {
        return x instanceof Axis.Named columns && y instanceof Axis.Named rows
                && map.rows() == rows.count() && map.columns() == columns.count();
    }

    /** The maps that {@link #showsTokens}. */
    public Stream<Mark.Heatmap> tokenMaps() {
        return marks.stream().filter(mark -> mark instanceof Mark.Heatmap map && showsTokens(map)).map(Mark.Heatmap.class::cast);
    }

    /** The panel with rows as columns. */
    Panel transposed() {
        return new Panel(title, y, x, bar, marks.stream().map(Mark::transposed).toList());
    }

    /**
     * Checks that the panel's heat maps can show the values.
     *
     * @throws IllegalArgumentException if one is neither NaN nor on the colour bar
     */
    public void checkValues(float[] values) {
        checkValues(title, bar, values);
    }

    // Only an open bar tells the reader that values lie beyond its end.
    private static void checkValues(String title, Optional<ColorBar> bar, float[] values) {
        ColorBar scale = bar.orElseThrow(
                () -> new IllegalArgumentException(title + ": a heat map without a colour bar"));
        for (float value : values) {
            if (!Float.isNaN(value) && !scale.shows(value)) {
                throw new IllegalArgumentException("%s: %s is beyond the colour bar, %s to %s"
                        .formatted(title, value, scale.range().min(), scale.range().max()));
            }
        }
    }

    private static void check(String title, Axis.Continuous axis, double[] coordinates) {
        for (double coordinate : coordinates) {
            if (!(Math.abs(axis.fraction(coordinate) - 0.5) <= 0.5 + Range.SLACK)) {
                throw new IllegalArgumentException("%s: %s is beyond the axis, %s to %s"
                        .formatted(title, coordinate, axis.range().min(), axis.range().max()));
            }
        }
    }

    static void checkCell(String title, Axis x, Axis y, Mark.Cell cell) {
        int rows = cells(title, y);
        int columns = cells(title, x);
        if (cell.row() < 0 || cell.row() >= rows || cell.column() < 0 || cell.column() >= columns) {
            throw new IllegalArgumentException("%s: %s on axes of %d x %d".formatted(title, cell, rows, columns));
        }
    }

    private static int cells(String title, Axis axis) {
        if (axis instanceof Axis.Cells cells) {
            return cells.count();
        }
        throw new IllegalArgumentException("%s: the axis %s has no cells".formatted(title, axis.label()));
    }

    private static Axis.Continuous numbers(String title, Axis axis) {
        if (axis instanceof Axis.Continuous numbers) {
            return numbers;
        }
        throw new IllegalArgumentException("%s: the axis %s has no numbers".formatted(title, axis.label()));
    }
}
