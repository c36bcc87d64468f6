package headscope.render.screen;

import headscope.render.Box;

/**
 * A filled rectangle.
 *
 * @param rgb     0xRRGGBB, sRGB
 * @param opacity 0 to 1
 */
public record Fill(Box box, int rgb, double opacity) {
    static final int FLOATS = 8;

    void write(float[] attributes, int at) {
        attributes[at] = box.x();
        attributes[at + 1] = box.y();
        attributes[at + 2] = box.width();
        attributes[at + 3] = box.height();
        attributes[at + 4] = (rgb >> 16 & 255) / 255f;
        attributes[at + 5] = (rgb >> 8 & 255) / 255f;
        attributes[at + 6] = (rgb & 255) / 255f;
        attributes[at + 7] = (float) opacity;
    }
}
