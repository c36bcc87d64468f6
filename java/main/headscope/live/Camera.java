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

    private static final double END = 1e-9; // a fraction that rounding leaves

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

    /** Moves by as little as shows a part; a part that is larger than what is visible fills it. Fractions of the whole. */
    public Camera showing(double left, double top, double width, double height) {
        return new Camera(showing(x, left, left + width), showing(y, top, top + height), zoom);
    }

    private double showing(double from, double start, double end) {
        double last = end - 1 / zoom;
        return Math.clamp(from, Math.min(start, last), Math.max(start, last));
    }

    /**
     * The same part of what has grown, at the same size; a part that reached the end reaches it again.
     *
     * @param ratio of the length before to the length now
     */
    public Camera grown(double ratio) {
        double next = zoom / ratio;
        return zoom == 1 || next <= 1 ? WHOLE : new Camera(grown(x, ratio, next), grown(y, ratio, next), next);
    }

    private double grown(double from, double ratio, double next) {
        return from + 1 / zoom > 1 - END ? 1 - 1 / next : from * ratio;
    }

    /** Moves the contents by fractions of the visible width and height. */
    public Camera dragged(double byX, double byY) {
        return new Camera(x - byX / zoom, y - byY / zoom, zoom);
    }
}
