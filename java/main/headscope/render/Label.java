package headscope.render;

/**
 * A positioned line of text.
 *
 * @param size   pixels per em
 * @param rgb    0xRRGGBB, sRGB
 * @param x      start of the pen, in pixels
 * @param y      start of the pen, in pixels
 * @param upward whether the line runs upwards instead of to the right
 * @param box    bounding box of the letters
 * @param anchor the part of the line that stays in place where another font makes it longer
 */
public record Label(
        String text, float size, int rgb, double x, double y, boolean upward, Box box, Anchor anchor) {
    /** A part of a line. */
    public enum Anchor {
        START,
        MIDDLE,
        END
    }

    /** Its start stays in place. */
    public static Label of(String text, float size, int rgb, double x, double y, boolean upward, TextMeasure measure) {
        double width = measure.width(text, size);
        double above = measure.ascent(size);
        double below = measure.descent(size);
        double left = upward ? x - above : x;
        double top = upward ? y - width : y - above;
        double right = upward ? x + below : x + width;
        double bottom = upward ? y : y + below;
        int x0 = (int) Math.floor(left);
        int y0 = (int) Math.floor(top);
        Box box = new Box(x0, y0, (int) Math.ceil(right) - x0, (int) Math.ceil(bottom) - y0);
        return new Label(text, size, rgb, x, y, upward, box, Anchor.START);
    }

    public Label with(Anchor other) {
        return new Label(text, size, rgb, x, y, upward, box, other);
    }
}
