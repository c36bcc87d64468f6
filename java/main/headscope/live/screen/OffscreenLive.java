package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.render.Image;
import headscope.render.RenderUnavailableException;
import headscope.render.TextMeasure;
import headscope.render.screen.OffscreenScreen;
import headscope.render.screen.Scene;
import java.util.List;

/** The screen of one text without a window. Belongs to the thread that opened it. */
public final class OffscreenLive implements AutoCloseable {
    private final OffscreenScreen screen;
    private final LiveText text;
    private final LiveScene scene;

    private OffscreenLive(OffscreenScreen screen, LiveText text) {
        this.screen = screen;
        this.text = text;
        this.scene = new LiveScene(text, screen.measure());
    }

    /** @throws RenderUnavailableException if this machine has no EGL, or no OpenGL 3.3 behind it */
    public static OffscreenLive open(LiveText text) {
        return new OffscreenLive(OffscreenScreen.open(), text);
    }

    /** The text as it is now. Sizes are in pixels; {@code scale} is in pixels per unit, 1 on a usual screen. */
    public Image image(ViewState state, ScreenStatus status, int width, int height, double scale) {
        return image(state, status, ScreenLayout.of(width, height, scale, text.source()), List.of());
    }

    /** @param over what lies over the screen, in drawing order */
    public Image image(ViewState state, ScreenStatus status, ScreenLayout layout, List<Scene.Part> over) {
        return screen.image(scene.of(state, status, layout, over));
    }

    /** What lies under a pixel. */
    public Pick pick(ViewState state, ScreenLayout layout, double x, double y) {
        return scene.pick(state, layout, x, y);
    }

    /** Measures text as this screen draws it. */
    public TextMeasure measure() {
        return screen.measure();
    }

    public long textureBytes() {
        return screen.textureBytes();
    }

    @Override
    public void close() {
        screen.close();
    }
}
