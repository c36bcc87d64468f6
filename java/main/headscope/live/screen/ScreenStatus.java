package headscope.live.screen;

import headscope.live.SourceStatus;
import java.util.Optional;

/**
 * What the screen shows of its viewer.
 *
 * @param frameMillis time that drawing a frame takes; NaN if unknown
 * @param mouse       in pixels from the top left; empty if it is elsewhere
 * @param notice      one line, such as the file that is recorded; may be empty
 * @param source      status of the producer of frames
 */
public record ScreenStatus(double frameMillis, Optional<Mouse> mouse, String notice, SourceStatus source) {
    public static final ScreenStatus NONE = new ScreenStatus(Double.NaN, Optional.empty(), "");

    /** Of a model. */
    public ScreenStatus(double frameMillis, Optional<Mouse> mouse, String notice) {
        this(frameMillis, mouse, notice, SourceStatus.NONE);
    }

    public record Mouse(double x, double y) {}
}
