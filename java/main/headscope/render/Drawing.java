package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Figure;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * A figure laid out at one size, with its buffers and textures on the GPU. It can be drawn any number of times, and the
 * values of its heat maps can be replaced between frames, both without a new layout. Belongs to the renderer that created
 * it and must be closed first.
 */
public final class Drawing implements AutoCloseable {
    private final Figure figure;
    private final Box canvas;
    private final List<DrawCall> calls;
    private final Map<Integer, HeatmapPass.Values> heatmaps;
    private final List<MissingFont> missingFonts;

    /**
     * @param calls    in drawing order
     * @param heatmaps the first heat map of each panel that has one, by the panel's index
     */
    Drawing(
            Figure figure, Box canvas, List<DrawCall> calls, Map<Integer, HeatmapPass.Values> heatmaps,
            List<MissingFont> missingFonts) {
        this.figure = figure;
        this.canvas = canvas;
        this.calls = List.copyOf(calls);
        this.heatmaps = Map.copyOf(heatmaps);
        this.missingFonts = List.copyOf(missingFonts);
    }

    /** In pixels. */
    public int width() {
        return canvas.width();
    }

    /** In pixels. */
    public int height() {
        return canvas.height();
    }

    /** The fonts of characters that are drawn as boxes. */
    public List<MissingFont> missingFonts() {
        return missingFonts;
    }

    /**
     * Replaces the values of a panel's first heat map. Axes, colour bar and marks stay.
     *
     * @param panel  index of the panel in the figure
     * @param values one per cell of the heat map, row-major; NaN or within the panel's colour bar
     * @throws IllegalArgumentException if the colour bar does not show the values, or their number differs
     * @throws NoSuchElementException   if the panel has no heat map
     */
    public void replaceValues(int panel, float[] values) {
        HeatmapPass.Values heatmap = heatmaps.get(panel);
        if (heatmap == null) {
            throw new NoSuchElementException("panel %d has no heat map".formatted(panel));
        }
        figure.panels().get(panel).checkValues(values);
        heatmap.replace(values);
    }

    /** Draws into the current framebuffer, from its lower left corner. */
    public void draw() {
        draw(0, 0);
    }

    /** Draws into the current framebuffer, with the lower left corner at a pixel; what lies outside becomes white. */
    public void draw(int left, int bottom) {
        glViewport(left, bottom, canvas.width(), canvas.height());
        glClearColor(1, 1, 1, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        calls.forEach(DrawCall::draw);
        int error = glGetError();
        if (error != GL_NO_ERROR) {
            throw new IllegalStateException("OpenGL error 0x%04x".formatted(error));
        }
    }

    @Override
    public void close() {
        calls.forEach(DrawCall::close);
    }
}
