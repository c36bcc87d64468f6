package headscope.render.layout;
import headscope.render.Box;
import headscope.render.Label;

/**
 * An edge of a panel, for drawing in coordinates along it and away from it, in pixels. {@code along} is a canvas
 * coordinate: y on the left, x above and below. {@code away} counts outwards from the panel's cells.
 */
record Edge(Side side, Box panel, Sheet sheet) {
    /** The coordinate of the edge's left or upper end. */
    int start() {
        return side == Side.LEFT ? panel.y() : panel.x();
    }

    void rule(int along, int away, int length, int depth) {
        sheet.rules.add(switch (side) {
            case LEFT -> new Box(panel.x() - away - depth, along, depth, length);
            case ABOVE -> new Box(along, panel.y() - away - depth, length, depth);
            case BELOW -> new Box(along, panel.bottom() + away, length, depth);
        });
    }

    /** A line of text parallel to the edge, centred at {@code middle}. */
    void parallel(String text, float size, double middle, int away) {
        int ascent = Sheet.up(sheet.measure.ascent(size));
        int descent = Sheet.up(sheet.measure.descent(size));
        switch (side) {
            case LEFT -> sheet.upward(text, size, panel.x() - away - descent, middle);
            case ABOVE -> sheet.center(text, size, middle, panel.y() - away - descent);
            case BELOW -> sheet.center(text, size, middle, panel.bottom() + away + ascent);
        }
    }

    /** A line of text perpendicular to the edge: level on the left, upward above and below. */
    void perpendicular(String text, float size, long baseline, int away) {
        double width = sheet.measure.width(text, size);
        switch (side) {
            case LEFT -> sheet.add(text, size, Sheet.INK, panel.x() - away - width, baseline, false, Label.Anchor.END);
            case ABOVE -> sheet.add(text, size, Sheet.INK, baseline, panel.y() - away, true, Label.Anchor.START);
            case BELOW -> sheet.add(text, size, Sheet.INK, baseline, panel.bottom() + away + width, true, Label.Anchor.END);
        }
    }
}
