package headscope.render;

import headscope.figure.Figure;
import headscope.render.layout.FigureSize;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Draws any number of figures off screen, with one OpenGL context. Only the thread that opened it may use it, and a
 * thread may have only one open at a time.
 */
public final class OffscreenRenderer implements AutoCloseable {
    /** Default resolution of figures, in dots per inch: print quality, about 2400 pixels wide. */
    public static final int DEFAULT_DPI = FigureSize.DEFAULT_DPI;

    private final OffscreenContext context;
    private final Renderer renderer = new Renderer();
    private Framebuffer framebuffer = new Framebuffer(1, 1);

    private OffscreenRenderer(OffscreenContext context) {
        this.context = context;
    }

    /** @throws RenderUnavailableException if this machine has no EGL, or no OpenGL 3.3 behind it */
    public static OffscreenRenderer open() {
        OffscreenContext context = OffscreenContext.open();
        try {
            return new OffscreenRenderer(context);
        } catch (RuntimeException problem) {
            context.close();
            throw problem;
        }
    }

    /** The OpenGL implementation that draws. */
    public GlDescription description() {
        return context.description();
    }

    /** Lays a figure out for repeated drawing; the caller closes it. */
    public Drawing drawing(Figure figure, int dpi) {
        return renderer.drawing(figure, dpi);
    }

    /** The drawing with its current values. */
    public Image image(Drawing drawing) {
        if (!framebuffer.hasSize(drawing.width(), drawing.height())) {
            framebuffer.close();
            framebuffer = new Framebuffer(drawing.width(), drawing.height());
        }
        drawing.draw();
        return framebuffer.read();
    }

    /** The figure at a resolution in dots per inch. */
    public Image image(Figure figure, int dpi) {
        try (Drawing drawing = drawing(figure, dpi)) {
            return image(drawing);
        }
    }

    /**
     * Draws a figure in its natural size and writes it as a PNG. The file is complete or absent.
     *
     * @param texts stored in the file by keyword, see {@link PngFile#write}
     * @return the fonts of characters that are drawn as boxes
     */
    public List<MissingFont> write(Figure figure, Path file, int dpi, Map<String, String> texts) {
        return write(figure, file, FigureSize.of(dpi), texts);
    }

    /**
     * The same in a given size.
     *
     * @throws IllegalArgumentException if the figure does not fit the size, or is larger than this OpenGL can draw
     */
    public List<MissingFont> write(Figure figure, Path file, FigureSize size, Map<String, String> texts) {
        try (Drawing drawing = renderer.drawing(figure, size)) {
            PngFile.write(file, image(drawing), size.dpi(), texts);
            return drawing.missingFonts();
        }
    }

    @Override
    public void close() {
        framebuffer.close();
        renderer.close();
        context.close();
    }
}
