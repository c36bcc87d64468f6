package headscope.live.control;

import headscope.figure.Colormap;
import headscope.live.ViewState.Mode;
import headscope.live.screen.TextMove;

/** What a key, or a line of a menu, does. */
public sealed interface Action {
    /** Without a choice. */
    enum Plain implements Action {
        PAUSE,
        STEP,
        BACK,
        AHEAD,
        SLOWER,
        FASTER,
        END,
        NEXT_VIEW,
        PREVIOUS_VIEW,
        NEXT_COLORS,
        PREVIOUS_COLORS,
        LOG,
        FIRST_TOKEN,
        TOKEN_SIDE,
        DARK,
        WHOLE,
        HELP,
        LEAVE
    }

    /** Of the window, rather than of the view or the model. */
    enum Desk implements Action {
        EDIT_PROMPT,
        PICTURE,
        RECORD,
        QUIT
    }

    /** Shows maps, or a metric, in the grid. */
    record Show(Mode mode, String metric) implements Action {}

    record Colors(Colormap colormap) implements Action {}

    /** Scrolls the text. */
    record Scroll(TextMove by) implements Action {}

    /**
     * Zooms all heads about the chosen one, or its map about the middle.
     *
     * @param steps positive to enlarge
     */
    record Zoom(boolean map, int steps) implements Action {}

    /** Chooses the head some layers and heads further. */
    record Walk(int layers, int heads) implements Action {}
}
