package headscope.render;

/**
 * A line of text at its place.
 *
 * @param size   pixels per em
 * @param rgb    0xRRGGBB, sRGB
 * @param x      where the pen starts, in pixels
 * @param y      where the pen starts, in pixels
 * @param upward whether the line runs from below to above, instead of from left to right
 * @param box    that the line's letters fill
 */
record Label(String text, float size, int rgb, double x, double y, boolean upward, Box box) {
    static Label of(String text, float size, int rgb, double x, double y, boolean upward, TextMeasure measure) {
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
        return new Label(text, size, rgb, x, y, upward, box);
    }
}
