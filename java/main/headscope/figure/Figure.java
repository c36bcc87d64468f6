package headscope.figure;

import java.util.List;
import java.util.Optional;

/**
 * A picture as data: panels in rows, left to right, the colour bars that they share, and a caption below.
 *
 * @param columns  panels per row; the last row may have fewer
 * @param enlarged the cell of the first panel that the second shows enlarged
 * @param caption  what was measured, on what; may be empty
 */
public record Figure(List<Panel> panels, int columns, Optional<Mark.Cell> enlarged, String caption) {
    public Figure {
        panels = List.copyOf(panels);
        if (panels.isEmpty() || columns < 1) {
            throw new IllegalArgumentException("a figure of %d panels in %d columns".formatted(panels.size(), columns));
        }
        if (enlarged.isPresent()) {
            if (panels.size() != 2 || columns != 2) {
                throw new IllegalArgumentException("what is enlarged needs two panels side by side");
            }
            Panel first = panels.getFirst();
            Panel.checkCell(first.title(), first.x(), first.y(), enlarged.get());
        }
    }

    /** Panels in rows. */
    public Figure(List<Panel> panels, int columns, String caption) {
        this(panels, columns, Optional.empty(), caption);
    }

    /** Each once, those of the last panels first. */
    public List<ColorBar> bars() {
        return panels.reversed().stream().map(Panel::bar).flatMap(Optional::stream).distinct().toList();
    }
}
