package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A texture (R8, coverage) of the glyphs drawn so far, in rows of glyphs. */
final class GlyphAtlas implements AutoCloseable {
    private record Key(Font.Glyph glyph, float size, int phase) {}

    /**
     * A glyph in the atlas.
     *
     * @param u      texel of its left edge
     * @param v      texel of its top edge
     * @param bitmap its size, and its place from the pen
     */
    record Entry(int u, int v, Font.Bitmap bitmap) {}

    private final Font font;
    private final int side;
    private final int texture = Texture.create();
    private final Map<Key, Entry> entries = new HashMap<>();
    private int rowTop;
    private int rowHeight;
    private int rowEnd;

    /** @param side of the square texture, in texels */
    GlyphAtlas(Font font, int side) {
        this.font = font;
        this.side = side;
        glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, side, side, 0, GL_RED, GL_UNSIGNED_BYTE, (ByteBuffer) null);
    }

    int texture() {
        return texture;
    }

    /** The glyph, drawn into the atlas if it was not there; empty if the atlas is full. */
    Optional<Entry> entry(Font.Glyph glyph, float size, int phase) {
        Key key = new Key(glyph, size, phase);
        Entry known = entries.get(key);
        if (known != null) {
            return Optional.of(known);
        }
        Font.Bitmap bitmap = font.bitmap(glyph, size, phase);
        if (bitmap.width() > side || bitmap.height() > side) {
            throw new IllegalArgumentException("a letter of %s pixels is too large".formatted(size));
        }
        if (rowEnd + bitmap.width() > side) {
            rowTop += rowHeight;
            rowEnd = 0;
            rowHeight = 0;
        }
        if (rowTop + bitmap.height() > side) {
            return Optional.empty();
        }
        Entry entry = new Entry(rowEnd, rowTop, bitmap);
        upload(entry);
        rowEnd += bitmap.width();
        rowHeight = Math.max(rowHeight, bitmap.height());
        entries.put(key, entry);
        return Optional.of(entry);
    }

    /** Forgets every glyph; what refers to them must have been drawn. */
    void clear() {
        entries.clear();
        rowTop = 0;
        rowHeight = 0;
        rowEnd = 0;
    }

    private void upload(Entry entry) {
        Font.Bitmap bitmap = entry.bitmap();
        if (!bitmap.coverage().hasRemaining()) {
            return;
        }
        glActiveTexture(GL_TEXTURE0);
        glBindTexture(GL_TEXTURE_2D, texture);
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
        glTexSubImage2D(GL_TEXTURE_2D, 0, entry.u(), entry.v(), bitmap.width(), bitmap.height(), GL_RED,
                GL_UNSIGNED_BYTE, bitmap.coverage());
        glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
    }

    @Override
    public void close() {
        glDeleteTextures(texture);
    }
}
