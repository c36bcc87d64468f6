package headscope.live.screen;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What the screen shows of its viewer.
 *
 * @param frameMillis time that drawing a frame takes; NaN if unknown
 * @param mouse       in pixels from the top left; empty if it is elsewhere
 * @param notice      one line, such as the file that is recorded; may be empty
 * @param played      share of a recording that has been played; empty for a model
 */
public record ScreenStatus(double frameMillis, Optional<Mouse> mouse, String notice, OptionalDouble played) {
    public static final ScreenStatus NONE = new ScreenStatus(Double.NaN, Optional.empty(), "");

    /** Of a model. */
    public ScreenStatus(double frameMillis, Optional<Mouse> mouse, String notice) {
        this(frameMillis, mouse, notice, OptionalDouble.empty());
    }

    public record Mouse(double x, double y) {}
}
