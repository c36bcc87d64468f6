package headscope.live.screen;

import java.util.OptionalInt;

/** What lies under a pixel of the screen. Cells and tokens count from 0. */
public sealed interface Pick {
    record Nothing() implements Pick {}

    /**
     * A head of the grid.
     *
     * @param row    of cells of its map; 0 if the grid shows a metric
     * @param column of cells of its map; 0 if the grid shows a metric
     */
    record Head(int layer, int head, int row, int column) implements Pick {}

    /** A cell of the chosen head's map. */
    record MapCell(int row, int column) implements Pick {}

    /**
     * A place on the bar that scrolls the text.
     *
     * @param top where the text stands once it is there, as in {@link headscope.live.ViewState#textTop}
     */
    record TextBar(OptionalInt top) implements Pick {}

    /** A token of the text. */
    record Token(int position) implements Pick {}
}
