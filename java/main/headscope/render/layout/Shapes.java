package headscope.render.layout;

import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.MaxPooling;
import headscope.figure.Panel;
import headscope.render.Box;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The shapes of a figure in drawing order, from its layout. */
final class Shapes {
    private static final int GRID_INK = 0xE2E4E7;
    private static final int SEPARATOR_INK = 0xFFFFFF;

    /** Radius of a dot relative to the shorter side of a cell. */
    private static final double RADIUS = 0.15;

    private Shapes() {}

    /** @param scale pixels per unit of the layout */
    static List<Shape> of(Figure figure, Layout layout, double scale) {
        List<Shape> shapes = new ArrayList<>();
        shapes.add(new Shape.Rules(layout.gridLines(), GRID_INK));
        for (int i = 0; i < figure.panels().size(); i++) {
            Panel panel = figure.panels().get(i);
            Box box = layout.panels().get(i);
            for (Mark mark : panel.marks()) {
                shapes.add(switch (mark) {
                    case Mark.Heatmap map -> new Shape.Colors(box, map, Cells.pooling(box, panel, map, scale),
                            panel.bar().orElseThrow(), OptionalInt.of(i));
                    case Mark.CellMarkers cells -> dots(box, panel, cells, scale);
                    case Mark.Separators _ -> new Shape.Rules(Cells.separators(box, panel, scale), SEPARATOR_INK);
                    case Mark.Line line -> new Shape.Strokes(LineStrokes.of(line, panel, box, scale));
                    case Mark.Points points -> new Shape.Strokes(LineStrokes.of(points, panel, box, scale));
                    case Mark.Bars bars -> new Shape.Rules(Places.bars(bars, panel, box), bars.rgb());
                });
            }
        }
        for (int i = 0; i < layout.bars().size(); i++) {
            shapes.add(ramp(layout.bars().get(i), figure.bars().get(i)));
        }
        shapes.add(new Shape.Rules(layout.rules(), Sheet.INK));
        shapes.add(new Shape.Strokes(layout.strokes()));
        shapes.add(new Shape.Text(layout.labels()));
        return List.copyOf(shapes);
    }

    /** The bar's range, one value per row of pixels, the maximum at the top. */
    private static Shape ramp(Box box, ColorBar bar) {
        float[] ramp = new float[box.height()];
        double span = bar.range().max() - bar.range().min();
        for (int row = 0; row < ramp.length; row++) {
            ramp[row] = (float) (bar.range().max() - (row + 0.5) / ramp.length * span);
        }
        Mark.Heatmap map = new Mark.Heatmap(ramp.length, 1, ramp);
        return new Shape.Colors(box, map, MaxPooling.toPixels(map, box.height(), box.width()), bar, OptionalInt.empty());
    }

    private static Shape dots(Box box, Panel panel, Mark.CellMarkers markers, double scale) {
        double width = (double) box.width() / Cells.count(panel.x());
        double height = (double) box.height() / Cells.count(panel.y());
        double radius = Math.clamp(RADIUS * Math.min(width, height), 1.5, 4 * scale);
        return new Shape.Dots(
                markers.cells().stream().mapToDouble(cell -> box.x() + (cell.column() + 0.5) * width).toArray(),
                markers.cells().stream().mapToDouble(cell -> box.y() + (cell.row() + 0.5) * height).toArray(),
                radius, Math.clamp(0.3 * radius, 0.5, scale));
    }
}
