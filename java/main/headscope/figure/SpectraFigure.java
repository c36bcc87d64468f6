package headscope.figure;

import headscope.result.HeadMap;
import headscope.result.SpectraView.Shown;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Maps of one quantity of the tests, one per metric, each of layers x heads. */
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
     * All maps share a scale. That of p and q runs from 0 to 1, so that a colour means the same value in every figure;
     * those of effect and AUROC end at round numbers, equally far from no difference. The maps give the titles and the
     * colour bar's label.
     *
     * @param maps one or more, in rows that are about as long as there are rows; values are NaN or of {@code shown}
     */
    public static Figure of(List<HeadMap> maps, Shown shown, Optional<Significant> significant, String caption) {
        ColorBar bar = bar(maps, shown);
        List<Panel> panels = IntStream.range(0, maps.size())
                .mapToObj(i -> panel(maps.get(i), bar, significant.map(marked -> marked.heads().get(i))))
                .toList();
        String key = significant.map(marked -> "Dot: " + marked.meaning() + ".").orElse("");
        return new Figure(panels, (int) Math.ceil(Math.sqrt(panels.size())), (caption + " " + key).strip());
    }

    private static ColorBar bar(List<HeadMap> maps, Shown shown) {
        String label = maps.getFirst().unit();
        return switch (shown) {
            case P, Q -> new ColorBar(label, new Range(0, 1), Colormap.rocket());
            case LOG10P -> new ColorBar(label, new Range(-Range.upTo(farthest(maps, 0)).max(), 0), Colormap.rocket());
            case EFFECT -> new ColorBar(label, around(0, maps), Colormap.coolwarm());
            case AUROC -> new ColorBar(label, around(0.5, maps), Colormap.coolwarm());
        };
    }

    private static Range around(double middle, List<HeadMap> maps) {
        double half = Range.upTo(farthest(maps, middle)).max();
        return new Range(middle - half, middle + half);
    }

    /** The largest distance of a value from the middle. */
    private static double farthest(List<HeadMap> maps, double middle) {
        double farthest = 0;
        for (HeadMap map : maps) {
            for (float value : map.values()) {
                farthest = Double.isNaN(value) ? farthest : Math.max(farthest, Math.abs(value - middle));
            }
        }
        return farthest;
    }

    private static Panel panel(HeadMap map, ColorBar bar, Optional<Mark.CellMarkers> markers) {
        List<Mark> marks = new ArrayList<>();
        marks.add(Mark.Heatmap.of(map));
        markers.ifPresent(marks::add);
        return new Panel(map.title(), new Axis.Numbered("Head Index", map.heads(), 0),
                new Axis.Numbered("Layer Index", map.layers(), 0), Optional.of(bar), marks);
    }
}
