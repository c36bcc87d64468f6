package headscope.render.window;

/** What the user does with keyboard and mouse. Positions are pixels from the upper left corner of the contents. */
public sealed interface Input {
    /** A key that types a character, after the keyboard's layout and Shift. */
    record Typed(int character) implements Input {}

    /** A key without a character; repeated while it is held. */
    record Pressed(Key key) implements Input {}

    enum Key {
        LEFT,
        RIGHT,
        UP,
        DOWN,
        ESCAPE
    }

    record Moved(double x, double y) implements Input {}

    /** The left button goes down. */
    record ButtonDown(double x, double y) implements Input {}

    /** The left button goes up. */
    record ButtonUp(double x, double y) implements Input {}

    /** @param steps of the wheel, positive away from the user; touchpads give fractions */
    record Scrolled(double steps, double x, double y) implements Input {}

    /** The pointer leaves the window. */
    record Left() implements Input {}
}
