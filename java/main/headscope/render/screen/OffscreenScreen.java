package headscope.render.screen;

import headscope.render.Framebuffer;
import headscope.render.GlDescription;
import headscope.render.Image;
import headscope.render.OffscreenContext;
import headscope.render.RenderUnavailableException;
import headscope.render.TextMeasure;

/** Draws {@link Scene}s off screen, with an OpenGL context of its own. Belongs to the thread that opened it. */
public final class OffscreenScreen implements AutoCloseable {
    private final OffscreenContext context;
    private final Screen screen = new Screen();
    private Framebuffer framebuffer = new Framebuffer(1, 1);

    private OffscreenScreen(OffscreenContext context) {
        this.context = context;
    }

    /** @throws RenderUnavailableException if this machine has no EGL, or no OpenGL 3.3 behind it */
    public static OffscreenScreen open() {
        OffscreenContext context = OffscreenContext.open();
        try {
            return new OffscreenScreen(context);
        } catch (RuntimeException problem) {
            context.close();
            throw problem;
        }
    }

    /** The OpenGL implementation that draws. */
    public GlDescription description() {
        return context.description();
    }

    /** Measures text as this screen draws it. */
    public TextMeasure measure() {
        return screen.measure();
    }

    public Image image(Scene scene) {
        if (!framebuffer.hasSize(scene.width(), scene.height())) {
            framebuffer.close();
            framebuffer = new Framebuffer(scene.width(), scene.height());
        }
        screen.draw(scene);
        return framebuffer.read();
    }

    public long textureBytes() {
        return screen.textureBytes();
    }

    @Override
    public void close() {
        framebuffer.close();
        screen.close();
        context.close();
    }
}
