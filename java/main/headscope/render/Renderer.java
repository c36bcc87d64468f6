package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;

/**
 * Draws figures with the OpenGL context that is current in this thread. Owns programs, textures and buffers of
 * that context until it is closed.
 */
public final class Renderer implements AutoCloseable {
    /** Holds a figure's glyphs at some 600 dots per inch. */
    private static final int ATLAS_SIDE = 2048;

    private static final int GRID_INK = 0xE2E4E7;
    private static final int SEPARATOR_INK = 0xFFFFFF;

    private final Font font = new Font();
    private final HeatmapPass heatmaps = new HeatmapPass();
    private final CellMarkersPass markers = new CellMarkersPass();
    private final LinePass lines = new LinePass();
    private final RulePass rules = new RulePass();
    private final TextPass text = new TextPass(font, ATLAS_SIDE);

    /** Draws the figure off screen at so many dots per inch. */
    public Image image(Figure figure, int dpi) {
        if (dpi < 1) {
            throw new IllegalArgumentException(dpi + " dots per inch");
        }
        double scale = (double) dpi / Layout.UNITS_PER_INCH;
        Layout layout = Layout.of(figure, scale, font);
        int most = glGetInteger(GL_MAX_TEXTURE_SIZE);
        if (Math.max(layout.width(), layout.height()) > most) {
            throw new IllegalArgumentException("at %d dpi the figure has %d x %d pixels, this OpenGL draws at most %d"
                    .formatted(dpi, layout.width(), layout.height(), most));
        }
        try (Framebuffer target = new Framebuffer(layout.width(), layout.height())) {
            draw(figure, layout, scale);
            return target.read();
        }
    }

    /** Draws into the framebuffer that is bound. */
    void draw(Figure figure, Layout layout, double scale) {
        Box canvas = new Box(0, 0, layout.width(), layout.height());
        glViewport(0, 0, layout.width(), layout.height());
        glClearColor(1, 1, 1, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        rules.draw(canvas, layout.gridLines(), GRID_INK);
        for (int i = 0; i < figure.panels().size(); i++) {
            Panel panel = figure.panels().get(i);
            Box box = layout.panels().get(i);
            for (Mark mark : panel.marks()) {
                switch (mark) {
                    case Mark.Heatmap map -> heatmaps.draw(canvas, box, map, panel.bar().orElseThrow());
                    case Mark.CellMarkers cells -> markers.draw(canvas, box, panel, cells, scale);
                    case Mark.Separators _ ->
                            rules.draw(canvas, Cells.separators(box, panel, scale), SEPARATOR_INK);
                    case Mark.Line line -> lines.draw(canvas, box, panel, line, scale);
                }
            }
        }
        for (int i = 0; i < figure.bars().size(); i++) {
            heatmaps.drawBar(canvas, layout.bars().get(i), figure.bars().get(i));
        }
        rules.draw(canvas, layout.rules(), Sheet.INK);
        lines.draw(canvas, layout.strokes());
        text.draw(canvas, layout.labels());
        int error = glGetError();
        if (error != GL_NO_ERROR) {
            throw new IllegalStateException("OpenGL error 0x%04x".formatted(error));
        }
    }

    @Override
    public void close() {
        text.close();
        rules.close();
        lines.close();
        markers.close();
        heatmaps.close();
    }
}
