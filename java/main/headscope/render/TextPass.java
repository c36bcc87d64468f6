package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.util.Arrays;
import java.util.List;

/** Draws {@link Label}s: one quad per glyph, on whole pixels, also where the line runs upwards. */
final class TextPass implements AutoCloseable {
    /** x, y, u, v, red, green, blue. */
    private static final int FLOATS_PER_VERTEX = 7;

    private final Program program = new Program("text");
    private final Font font;
    private final GlyphAtlas atlas;
    private final int array = glGenVertexArrays();
    private final int buffer = glGenBuffers();
    private float[] vertices = new float[1 << 14];
    private int used;

    /** @param atlasSide room for glyphs, in texels; where it is too small they are drawn in several goes */
    TextPass(Font font, int atlasSide) {
        this.font = font;
        atlas = new GlyphAtlas(font, atlasSide);
        glBindVertexArray(array);
        glBindBuffer(GL_ARRAY_BUFFER, buffer);
        glEnableVertexAttribArray(0);
        glVertexAttribPointer(0, 4, GL_FLOAT, false, Float.BYTES * FLOATS_PER_VERTEX, 0);
        glEnableVertexAttribArray(1);
        glVertexAttribPointer(1, 3, GL_FLOAT, false, Float.BYTES * FLOATS_PER_VERTEX, Float.BYTES * 4L);
    }

    void draw(Box canvas, List<Label> labels) {
        for (Label label : labels) {
            font.walk(label.text(), label.size(), placed -> add(canvas, label, placed));
        }
        flush(canvas);
    }

    private void add(Box canvas, Label label, Font.Placed placed) {
        // Along the line in steps of a phase, across it in whole pixels.
        double start = label.upward() ? -label.y() : label.x();
        long phases = Math.round((start + placed.pen()) * Font.PHASES);
        int pen = (int) Math.floorDiv(phases, Font.PHASES);
        int phase = Math.floorMod(phases, Font.PHASES);
        int baseline = (int) Math.round(label.upward() ? label.x() : label.y());
        GlyphAtlas.Entry entry = atlas.entry(placed.glyph(), label.size(), phase).orElseGet(() -> {
            flush(canvas);
            atlas.clear();
            return atlas.entry(placed.glyph(), label.size(), phase).orElseThrow();
        });
        for (int corner : new int[] {0, 1, 2, 2, 1, 3}) {
            vertex(label, entry, pen, baseline, corner & 1, corner >> 1);
        }
    }

    private void vertex(Label label, GlyphAtlas.Entry entry, int pen, int baseline, int right, int low) {
        Font.Bitmap bitmap = entry.bitmap();
        int along = pen + bitmap.x() + right * bitmap.width();
        int across = baseline + bitmap.y() + low * bitmap.height();
        if (used + FLOATS_PER_VERTEX > vertices.length) {
            vertices = Arrays.copyOf(vertices, 2 * vertices.length);
        }
        vertices[used++] = label.upward() ? across : along;
        vertices[used++] = label.upward() ? -along : across;
        vertices[used++] = entry.u() + right * bitmap.width();
        vertices[used++] = entry.v() + low * bitmap.height();
        vertices[used++] = (label.rgb() >> 16 & 255) / 255f;
        vertices[used++] = (label.rgb() >> 8 & 255) / 255f;
        vertices[used++] = (label.rgb() & 255) / 255f;
    }

    private void flush(Box canvas) {
        program.use().set("u_canvas", canvas.width(), canvas.height()).setTexture("u_glyphs", 0, atlas.texture());
        glBindVertexArray(array);
        glBindBuffer(GL_ARRAY_BUFFER, buffer);
        glBufferData(GL_ARRAY_BUFFER, Arrays.copyOf(vertices, used), GL_STREAM_DRAW);
        glEnable(GL_BLEND);
        glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
        glDrawArrays(GL_TRIANGLES, 0, used / FLOATS_PER_VERTEX);
        used = 0;
    }

    @Override
    public void close() {
        glDeleteBuffers(buffer);
        glDeleteVertexArrays(array);
        atlas.close();
        program.close();
    }
}
