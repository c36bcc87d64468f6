package headscope.render;

/**
 * A straight line with round ends, in pixels; a dot if both ends are equal.
 *
 * @param rgb 0xRRGGBB, sRGB
 */
public record Stroke(double x0, double y0, double x1, double y1, double width, int rgb) {
    /** Whether the stroke and the box overlap. */
    public boolean crosses(Box box) {
        // Clips the line to the box, grown by half the width (Liang and Barsky 1984).
        double r = width / 2;
        double first = 0;
        double last = 1;
        double[][] sides = {
            {x0 - x1, x0 - (box.x() - r)}, {x1 - x0, box.right() + r - x0},
            {y0 - y1, y0 - (box.y() - r)}, {y1 - y0, box.bottom() + r - y0},
        };
        for (double[] side : sides) {
            if (side[0] == 0 && side[1] <= 0) {
                return false;
            }
            if (side[0] < 0) {
                first = Math.max(first, side[1] / side[0]);
            } else if (side[0] > 0) {
                last = Math.min(last, side[1] / side[0]);
            }
        }
        return first < last;
    }
}
