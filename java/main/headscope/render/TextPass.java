package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Draws {@link Label}s: one quad per glyph, on whole pixels, for level and for upward lines. */
final class TextPass implements AutoCloseable {
    /** Every OpenGL 3.3 GPU has textures of this size; 600 dots per inch need a few rows of glyphs. */
    private static final int TEXTURE_WIDTH = 8192;

    /** x, y, u, v of the top left corner; upper edge x, y; left edge x, y; red, green, blue. */
    private static final int FLOATS = 11;

    private final Program program = new Program("text");
    private final Font font;
    private final int textureWidth;

    TextPass(Font font) {
        this(font, TEXTURE_WIDTH);
    }

    /** @param textureWidth of the glyphs, in texels */
    TextPass(Font font, int textureWidth) {
        this.font = font;
        this.textureWidth = textureWidth;
    }

    /** A glyph and its place in its line, in whole pixels. */
    private record Placed(Label label, GlyphPacking.Entry glyph, int pen, int baseline) {}

    DrawCall call(Box canvas, List<Label> labels) {
        GlyphPacking packing = new GlyphPacking(font, textureWidth);
        List<Placed> glyphs = new ArrayList<>();
        for (Label label : labels) {
            font.walk(label.text(), label.size(), placed -> glyphs.add(place(label, placed, packing)));
        }
        float[] attributes = new float[FLOATS * glyphs.size()];
        for (int i = 0; i < glyphs.size(); i++) {
            write(glyphs.get(i), attributes, FLOATS * i);
        }
        int texture = upload(packing);
        return new Text(
                new Quads(FLOATS, attributes, () -> program.use(canvas).setTexture("u_glyphs", 0, texture)), texture);
    }

    private record Text(Quads quads, int texture) implements DrawCall {
        @Override
        public void draw() {
            quads.draw();
        }

        @Override
        public void close() {
            quads.close();
            glDeleteTextures(texture);
        }
    }

    /** Rounds to 1 / PHASES of a pixel along the line, and to whole pixels across it. */
    private static Placed place(Label label, Font.Placed placed, GlyphPacking packing) {
        double start = label.upward() ? -label.y() : label.x();
        long phases = Math.round((start + placed.pen()) * Font.PHASES);
        int phase = Math.floorMod(phases, Font.PHASES);
        return new Placed(label, packing.entry(placed.glyph(), label.size(), phase),
                (int) Math.floorDiv(phases, Font.PHASES), (int) Math.round(label.upward() ? label.x() : label.y()));
    }

    private static void write(Placed placed, float[] attributes, int at) {
        Font.Bitmap bitmap = placed.glyph().bitmap();
        Label label = placed.label();
        int along = placed.pen() + bitmap.x();
        int across = placed.baseline() + bitmap.y();
        float[] glyph = {
            label.upward() ? across : along,
            label.upward() ? -along : across,
            placed.glyph().u(),
            placed.glyph().v(),
            label.upward() ? 0 : bitmap.width(),
            label.upward() ? -bitmap.width() : 0,
            label.upward() ? bitmap.height() : 0,
            label.upward() ? 0 : bitmap.height(),
            (label.rgb() >> 16 & 255) / 255f,
            (label.rgb() >> 8 & 255) / 255f,
            (label.rgb() & 255) / 255f
        };
        System.arraycopy(glyph, 0, attributes, at, FLOATS);
    }

    /** A texture (R8, coverage) of all glyphs. */
    private int upload(GlyphPacking packing) {
        int texture = Texture.create();
        glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, textureWidth, Math.max(1, packing.height()), 0, GL_RED, GL_UNSIGNED_BYTE,
                (ByteBuffer) null);
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
        for (GlyphPacking.Entry entry : packing.entries()) {
            Font.Bitmap bitmap = entry.bitmap();
            if (bitmap.coverage().hasRemaining()) {
                glTexSubImage2D(GL_TEXTURE_2D, 0, entry.u(), entry.v(), bitmap.width(), bitmap.height(), GL_RED,
                        GL_UNSIGNED_BYTE, bitmap.coverage());
            }
        }
        glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
        return texture;
    }

    @Override
    public void close() {
        program.close();
    }
}
