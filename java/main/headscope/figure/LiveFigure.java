package headscope.figure;

import headscope.figure.SaliencyFigure.Overview;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A moment of a live view: layers x heads, and next to it the map of the head that is shown closely. */
public final class LiveFigure {
    private LiveFigure() {}

    /** The left panel. */
    public record Grid(String title, Overview cells, ColorBar bar) {}

    /**
     * The right panel, or the visible part of it.
     *
     * @param rows    names of the tokens that attend
     * @param columns names of the tokens that they attend to
     * @param values  [rows, columns], row-major
     */
    public record Map(String title, List<String> rows, List<String> columns, float[] values, ColorBar bar) {}

    /**
     * @param map   empty if no head has been read yet
     * @param layer of the head in the map, from 0
     * @param head  in the map, from 0
     */
    public static Figure of(Grid grid, Optional<Map> map, int layer, int head, String caption) {
        Mark.Heatmap cells = switch (grid.cells) {
            case Overview.Values values -> Mark.Heatmap.of(values.map());
            case Overview.Thumbnails small -> SaliencyFigure.tiled(small, false);
        };
        int heads = switch (grid.cells) {
            case Overview.Values values -> values.map().heads();
            case Overview.Thumbnails small -> small.heads();
        };
        int layers = switch (grid.cells) {
            case Overview.Values values -> values.map().layers();
            case Overview.Thumbnails small -> small.layers();
        };
        List<Mark> marks = grid.cells instanceof Overview.Thumbnails ? List.of(cells, new Mark.Separators()) : List.of(cells);
        List<Panel> panels = new ArrayList<>(List.of(new Panel(
                grid.title, new Axis.Numbered("Head", heads, 0), new Axis.Numbered("Layer", layers, 0),
                Optional.of(grid.bar), marks)));
        map.ifPresent(shown -> panels.add(new Panel(
                shown.title, new Axis.Named("attended token", shown.columns, List.of()),
                new Axis.Named("attending token", shown.rows, List.of()), Optional.of(shown.bar),
                List.of(new Mark.Heatmap(shown.rows.size(), shown.columns.size(), shown.values)))));
        return new Figure(panels, panels.size(), map.map(_ -> new Mark.Cell(layer, head)), caption);
    }
}
