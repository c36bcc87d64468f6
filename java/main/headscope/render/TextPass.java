package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Draws {@link Label}s: one quad per glyph, on whole pixels, for level and for upward lines. */
final class TextPass implements AutoCloseable {
    /** Every OpenGL 3.3 GPU has textures of this size; 600 dots per inch need a few rows of glyphs. */
    private static final int TEXTURE_WIDTH = 8192;

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

    DrawCall call(Box canvas, List<Label> labels) {
        GlyphPacking packing = new GlyphPacking(font, textureWidth);
        List<GlyphQuad> glyphs = new ArrayList<>();
        for (Label label : labels) {
            font.walk(label.text(), label.size(), placed -> glyphs.add(GlyphQuad.of(label, placed, packing)));
        }
        int texture = upload(packing);
        return new Text(
                new Quads(GlyphQuad.FLOATS, GlyphQuad.attributes(glyphs), () -> program.use(canvas).setTexture("u_glyphs", 0, texture)), texture);
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

    /** A texture (R8, coverage) of all glyphs. */
    private int upload(GlyphPacking packing) {
        int texture = Texture.create();
        glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, textureWidth, Math.max(1, packing.height()), 0, GL_RED, GL_UNSIGNED_BYTE,
                (ByteBuffer) null);
        GlyphQuad.upload(packing.entries());
        return texture;
    }

    @Override
    public void close() {
        program.close();
    }
}
