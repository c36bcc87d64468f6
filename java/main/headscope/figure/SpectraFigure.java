package headscope.figure;

import headscope.result.HeadMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Two maps of p-values side by side, of attention scores and of Laplacian eigenvalues, each of layers x heads. */
public final class SpectraFigure {
    private SpectraFigure() {}

    /**
     * The significant heads, which get a dot.
     *
     * @param meaning criterion, such as "q < 0.05"; the caption states it
     */
    public record Significant(Mark.CellMarkers attentionScore, Mark.CellMarkers laplacian, String meaning) {}

    /**
     * Both maps share a scale from 0 to 1, so that a colour means the same p-value in every figure. The maps give the
     * titles and the colour bar's label.
     *
     * @param attentionScoreP p-values, NaN or in [0, 1]
     * @param laplacianP      p-values, NaN or in [0, 1]
     */
    public static Figure of(
            HeadMap attentionScoreP, HeadMap laplacianP, Optional<Significant> significant, String caption) {
        ColorBar bar = new ColorBar(attentionScoreP.unit(), new Range(0, 1), Colormap.rocket());
        List<Panel> panels = List.of(
                panel(attentionScoreP, bar, significant.map(Significant::attentionScore)),
                panel(laplacianP, bar, significant.map(Significant::laplacian)));
        String key = significant.map(marked -> "Dot: " + marked.meaning() + ".").orElse("");
        return new Figure(panels, 2, (caption + " " + key).strip());
    }

    private static Panel panel(HeadMap map, ColorBar bar, Optional<Mark.CellMarkers> markers) {
        List<Mark> marks = new ArrayList<>();
        marks.add(Mark.Heatmap.of(map));
        markers.ifPresent(marks::add);
        return new Panel(map.title(), new Axis.Numbered("Head Index", map.heads(), 0),
                new Axis.Numbered("Layer Index", map.layers(), 0), Optional.of(bar), marks);
    }
}
