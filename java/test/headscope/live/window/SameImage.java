package headscope.live.window;

import headscope.render.Box;
import headscope.render.Image;
import java.util.stream.IntStream;

/** Whether two images show the same. */
final class SameImage {
    /** Largest difference of one channel, of 255: text and lines are blended at another place of the framebuffer. */
    private static final int TOLERANCE = 2;

    /**
     * Share of pixels that may differ: an edge of cells that meets a pixel's centre is rounded to either side, here and in
     * a window.
     */
    private static final double EDGES = 0.005;

    private SameImage() {}

    /** @param x and y: the upper left corner of {@code expected}'s part that lies in the box of {@code seen} */
    static boolean in(Image expected, int x, int y, Image seen, Box box) {
        long different = IntStream.range(0, box.width() * box.height()).filter(i -> {
            int column = x + i % box.width();
            int row = y + i / box.width();
            int rgb = seen.argb()[(box.y() + i / box.width()) * seen.width() + box.x() + i % box.width()];
            return !(near(rgb, expected, column, row) || near(rgb, expected, column, row - 1)
                    || near(rgb, expected, column, row + 1) || near(rgb, expected, column - 1, row)
                    || near(rgb, expected, column + 1, row));
        }).count();
        return different <= EDGES * box.width() * box.height();
    }

    /** Whether a pixel has a colour; one beside an edge may have that of its neighbour. */
    private static boolean near(int rgb, Image expected, int column, int row) {
        return column >= 0 && column < expected.width() && row >= 0 && row < expected.height()
                && near(rgb, expected.argb()[row * expected.width() + column]);
    }

    private static boolean near(int one, int other) {
        return Math.abs((one >> 16 & 255) - (other >> 16 & 255)) <= TOLERANCE
                && Math.abs((one >> 8 & 255) - (other >> 8 & 255)) <= TOLERANCE
                && Math.abs((one & 255) - (other & 255)) <= TOLERANCE;
    }
}
