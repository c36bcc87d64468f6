package headscope.render.window;

/** What the user does with keyboard and mouse. Positions are pixels from the upper left corner of the contents. */
public sealed interface Input {
    /** A character, after the keyboard's layout and Shift. */
    record Typed(int codePoint) implements Input {}

    /** A key without a character; comes again while it is held. */
    record Pressed(Key key, boolean shift) implements Input {}

    /** Keys without a character. */
    enum Key {
        LEFT,
        RIGHT,
        UP,
        DOWN,
        HOME,
        END,
        PAGE_UP,
        PAGE_DOWN,
        BACKSPACE,
        DELETE,
        ENTER,
        ESCAPE,
        /** Ctrl+A. */
        SELECT_ALL,
        /** Ctrl+C. */
        COPY,
        /** Ctrl+X. */
        CUT
    }

    /** Ctrl+V. */
    record Pasted(String text) implements Input {}

    record Moved(double x, double y) implements Input {}

    /**
     * The left button goes down.
     *
     * @param clicks 2 for the second of a double click, otherwise 1
     */
    record ButtonDown(double x, double y, int clicks) implements Input {}

    /** The left button goes up. */
    record ButtonUp(double x, double y) implements Input {}

    /** @param steps of the wheel, positive away from the user; touchpads give fractions */
    record Scrolled(double steps, double x, double y) implements Input {}

    /** The pointer leaves the window. */
    record Left() implements Input {}
}
