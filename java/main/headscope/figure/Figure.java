package headscope.figure;

import java.util.List;

/**
 * A picture as data: panels in a row, left to right, a colour bar that they share, and a caption below.
 *
 * @param caption what was measured, on what; may be empty
 */
public record Figure(List<Panel> panels, ColorBar bar, String caption) {
    public Figure {
        panels = List.copyOf(panels);
        if (panels.isEmpty()) {
            throw new IllegalArgumentException("a figure without a panel");
        }
        for (Panel panel : panels) {
            for (Mark mark : panel.marks()) {
                if (mark instanceof Mark.Heatmap map) {
                    check(panel.title(), map, bar.range());
                }
            }
        }
    }

    // The bar does not say that colours end where it ends, so nothing may lie beyond.
    private static void check(String title, Mark.Heatmap map, Range range) {
        for (float value : map.values()) {
            if (!Float.isNaN(value) && !range.contains(value)) {
                throw new IllegalArgumentException("%s: %s is beyond the colour bar, %s to %s"
                        .formatted(title, value, range.min(), range.max()));
            }
        }
    }
}
