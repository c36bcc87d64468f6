package headscope.figure;

import headscope.result.HeadMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Maps of p-values in rows of two, one per tested metric, each of layers x heads. */
public final class SpectraFigure {
    private SpectraFigure() {}

    /**
     * The significant heads, which get a dot.
     *
     * @param heads   of each map
     * @param meaning criterion, such as "q < 0.05"; the caption states it
     */
    public record Significant(List<Mark.CellMarkers> heads, String meaning) {}

    /**
     * All maps share a scale from 0 to 1, so that a colour means the same p-value in every figure. The maps give the
     * titles and the colour bar's label.
     *
     * @param maps p-values, NaN or in [0, 1]
     */
    public static Figure of(List<HeadMap> maps, Optional<Significant> significant, String caption) {
        ColorBar bar = new ColorBar(maps.getFirst().unit(), new Range(0, 1), Colormap.rocket());
        List<Panel> panels = IntStream.range(0, maps.size())
                .mapToObj(i -> panel(maps.get(i), bar, significant.map(marked -> marked.heads().get(i))))
                .toList();
        String key = significant.map(marked -> "Dot: " + marked.meaning() + ".").orElse("");
        return new Figure(panels, Math.min(2, panels.size()), (caption + " " + key).strip());
    }

    private static Panel panel(HeadMap map, ColorBar bar, Optional<Mark.CellMarkers> markers) {
        List<Mark> marks = new ArrayList<>();
        marks.add(Mark.Heatmap.of(map));
        markers.ifPresent(marks::add);
        return new Panel(map.title(), new Axis.Numbered("Head Index", map.heads(), 0),
                new Axis.Numbered("Layer Index", map.layers(), 0), Optional.of(bar), marks);
    }
}
