package headscope.live;

/**
 * The visible part of a square view.
 *
 * @param x    left end of the visible part, as a fraction of the whole width
 * @param y    upper end, as a fraction of the whole height
 * @param zoom 1 shows the whole; the visible part has the width and height 1 / zoom
 */
public record Camera(double x, double y, double zoom) {
    public static final Camera WHOLE = new Camera(0, 0, 1);

    public Camera {
        if (!(zoom >= 1)) {
            throw new IllegalArgumentException("zoom " + zoom);
        }
        x = Math.clamp(x, 0, 1 - 1 / zoom);
        y = Math.clamp(y, 0, 1 - 1 / zoom);
    }

    /**
     * Zooms about a point that stays where it is.
     *
     * @param atX fraction of the visible width
     * @param atY fraction of the visible height
     * @param max the largest zoom
     */
    public Camera zoomed(double factor, double atX, double atY, double max) {
        double next = Math.clamp(zoom * factor, 1, max);
        return new Camera(x + atX / zoom - atX / next, y + atY / zoom - atY / next, next);
    }

    /** Moves the contents by fractions of the visible width and height. */
    public Camera dragged(double byX, double byY) {
        return new Camera(x - byX / zoom, y - byY / zoom, zoom);
    }
}
