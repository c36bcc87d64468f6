package headscope.live.screen;

import java.util.Optional;

/**
 * What the screen shows of its viewer.
 *
 * @param frameMillis time that drawing a frame takes; NaN if unknown
 * @param mouse       in pixels from the top left; empty if it is elsewhere
 * @param notice      one line, such as the file that is recorded; may be empty
 */
public record ScreenStatus(double frameMillis, Optional<Mouse> mouse, String notice) {
    public static final ScreenStatus NONE = new ScreenStatus(Double.NaN, Optional.empty(), "");

    public record Mouse(double x, double y) {}
}
