package headscope.figure;

import java.util.List;
import java.util.Optional;

/**
 * A picture as data: panels in rows from left to right, the colour bars they share, and a caption below.
 *
 * @param columns  panels per row; the last row may have fewer
 * @param enlarged the cell of the first panel that the second panel enlarges
 * @param caption  states what was measured on which texts; may be empty
 */
public record Figure(List<Panel> panels, int columns, Optional<Mark.Cell> enlarged, String caption) {
    public Figure {
        panels = List.copyOf(panels);
        if (panels.isEmpty() || columns < 1) {
            throw new IllegalArgumentException("a figure of %d panels in %d columns".formatted(panels.size(), columns));
        }
        if (enlarged.isPresent()) {
            if (panels.size() != 2 || columns != 2) {
                throw new IllegalArgumentException("an enlarged cell needs two panels side by side");
            }
            Panel first = panels.getFirst();
            Panel.checkCell(first.title(), first.x(), first.y(), enlarged.get());
        }
    }

    /** A figure without an enlarged cell. */
    public Figure(List<Panel> panels, int columns, String caption) {
        this(panels, columns, Optional.empty(), caption);
    }

    /** The distinct colour bars, those of the last panels first. */
    public List<ColorBar> bars() {
        return panels.reversed().stream().map(Panel::bar).flatMap(Optional::stream).distinct().toList();
    }
}
