package headscope.live.window;

import headscope.render.Box;
import headscope.render.Image;
import java.util.stream.IntStream;

/** Whether two images show the same. */
final class SameImage {
    /** Largest difference of one channel, of 255: text and lines are blended at another place of the framebuffer. */
    private static final int TOLERANCE = 2;

    private SameImage() {}

    /** @param x and y: the upper left corner of {@code expected}'s part that lies in the box of {@code seen} */
    static boolean in(Image expected, int x, int y, Image seen, Box box) {
        return IntStream.range(0, box.width() * box.height()).allMatch(i -> {
            int column = i % box.width();
            int row = i / box.width();
            return near(expected.argb()[(y + row) * expected.width() + x + column],
                    seen.argb()[(box.y() + row) * seen.width() + box.x() + column]);
        });
    }

    private static boolean near(int one, int other) {
        return Math.abs((one >> 16 & 255) - (other >> 16 & 255)) <= TOLERANCE
                && Math.abs((one >> 8 & 255) - (other >> 8 & 255)) <= TOLERANCE
                && Math.abs((one & 255) - (other & 255)) <= TOLERANCE;
    }
}
