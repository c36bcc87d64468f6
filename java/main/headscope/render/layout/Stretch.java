package headscope.render.layout;

/**
 * How a layout differs from the natural one: factors of the panels' lengths, and where the contents stand on the page.
 *
 * @param across factor of the panels' widths
 * @param down   factor of the panels' heights
 * @param width  of the page in pixels, at least that of the contents, which stand in its middle; 0: that of the contents
 * @param height likewise
 */
record Stretch(double across, double down, int width, int height) {
    static final Stretch NONE = new Stretch(1, 1, 0, 0);

    static Stretch of(double across, double down) {
        return new Stretch(across, down, 0, 0);
    }
}
