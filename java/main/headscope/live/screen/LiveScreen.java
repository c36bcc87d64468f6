package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import headscope.render.screen.Screen;
import java.util.List;

/**
 * The screen of one text in a window. Belongs to the OpenGL context that is current in this thread, and is closed before
 * it.
 */
public final class LiveScreen implements AutoCloseable {
    private final Screen screen = new Screen();
    private final LiveScene scene;

    public LiveScreen(LiveText text) {
        scene = new LiveScene(text, screen.measure());
    }

    /** Measures text as this screen draws it. */
    public TextMeasure measure() {
        return screen.measure();
    }

    /**
     * Draws into the current framebuffer, which has the size of the layout.
     *
     * @param over what lies over the screen, in drawing order
     */
    public void draw(ViewState state, ScreenStatus status, ScreenLayout layout, List<Scene.Part> over) {
        screen.draw(scene.of(state, status, layout, over));
    }

    /** What lies under a pixel. */
    public Pick pick(ViewState state, ScreenLayout layout, double x, double y) {
        return scene.pick(state, layout, x, y);
    }

    @Override
    public void close() {
        screen.close();
    }
}
