package headscope.figure;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A picture as data: panels in rows from left to right, the colour bars they share, and a caption below.
 *
 * @param title    above all panels; may be empty
 * @param columns  panels per row; the last row may have fewer
 * @param enlarged the cell of the first panel that the second panel enlarges
 * @param caption  states what was measured on which texts; may be empty
 */
public record Figure(
        String title, List<Panel> panels, int columns, Optional<Mark.Cell> enlarged, String caption) {
    public Figure {
        title = Visible.text(title);
        caption = Visible.text(caption);
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

    /** A figure without a title. */
    public Figure(List<Panel> panels, int columns, Optional<Mark.Cell> enlarged, String caption) {
        this("", panels, columns, enlarged, caption);
    }

    /** A figure without a title and an enlarged cell. */
    public Figure(List<Panel> panels, int columns, String caption) {
        this(panels, columns, Optional.empty(), caption);
    }

    public Figure withTitle(String other) {
        return new Figure(other, panels, columns, enlarged, caption);
    }

    /**
     * The figure with other colours on all its colour bars.
     *
     * @throws IllegalArgumentException if there is no bar, or a diverging map meets a bar that neither extends on both
     *                                  sides of 0 nor has such a map
     */
    public Figure withColors(Colormap colors) {
        List<ColorBar> bars = bars();
        if (bars.isEmpty()) {
            throw new IllegalArgumentException("the figure has no heat map that the colour map " + colors.name() + " could colour");
        }
        bars.stream().filter(bar -> colors.isDiverging() && !bar.isSigned() && !bar.colormap().isDiverging())
                .findFirst().ifPresent(bar -> {
            throw new IllegalArgumentException(
                    "%s is a diverging colour map, whose middle means 0, but the values are from %s to %s".formatted(
                            colors.name(), bar.ticks(2).getFirst().label(), bar.ticks(2).getLast().label()));
        });
        return mapped(panel -> panel.withBar(panel.bar().map(bar -> bar.withColors(colors))));
    }

    /** Whether every panel shows one value per head, so that {@link #transposed} can exchange layers and heads. */
    public boolean hasHeadsOnly() {
        return enlarged.isEmpty() && panels.stream().allMatch(Panel::showsHeads);
    }

    /** The figure with the axes of every panel exchanged; requires {@link #hasHeadsOnly}. */
    public Figure transposed() {
        if (!hasHeadsOnly()) {
            throw new IllegalArgumentException("only maps with one cell per head can be transposed");
        }
        return mapped(Panel::transposed);
    }

    private Figure mapped(UnaryOperator<Panel> change) {
        return new Figure(title, panels.stream().map(change).toList(), columns, enlarged, caption);
    }

    /** The distinct colour bars, those of the last panels first. */
    public List<ColorBar> bars() {
        return panels.reversed().stream().map(Panel::bar).flatMap(Optional::stream).distinct().toList();
    }
}
