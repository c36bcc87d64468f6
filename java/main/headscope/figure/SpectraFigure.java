package headscope.figure;

import headscope.result.HeadMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Two maps of p-values, layers x heads, side by side: attention score and Laplacian eigenvalues. */
public final class SpectraFigure {
    private SpectraFigure() {}

    /**
     * The heads to be marked in each panel.
     *
     * @param meaning what a dot says, such as "q < 0.05"; becomes part of the caption
     */
    public record Significant(Mark.CellMarkers attentionScore, Mark.CellMarkers laplacian, String meaning) {}

    /** One scale for both: from 0 to the largest p-value of the two maps. A p-value is NaN or in [0, 1].
     * Titles and the bar's label are the maps' own. */
    public static Figure of(
            HeadMap attentionScoreP, HeadMap laplacianP, Optional<Significant> significant, String caption) {
        double most = Math.max(largest(attentionScoreP), largest(laplacianP));
        ColorBar bar = new ColorBar(attentionScoreP.unit(), new Range(0, most > 0 ? most : 1), Colormap.rocket());
        List<Panel> panels = List.of(
                panel(attentionScoreP, bar, significant.map(Significant::attentionScore)),
                panel(laplacianP, bar, significant.map(Significant::laplacian)));
        String key = significant.map(marked -> "Dot: " + marked.meaning() + ".").orElse("");
        return new Figure(panels, 2, (caption + " " + key).strip());
    }

    private static Panel panel(HeadMap map, ColorBar bar, Optional<Mark.CellMarkers> markers) {
        List<Mark> marks = new ArrayList<>();
        marks.add(new Mark.Heatmap(map.layers(), map.heads(), map.values()));
        markers.ifPresent(marks::add);
        return new Panel(map.title(), new Axis.Numbered("Head Index", map.heads(), 0),
                new Axis.Numbered("Layer Index", map.layers(), 0), Optional.of(bar), marks);
    }

    private static double largest(HeadMap map) {
        double largest = 0;
        for (float value : map.values()) {
            largest = value > largest ? value : largest; // NaN compares false
        }
        return largest;
    }
}
