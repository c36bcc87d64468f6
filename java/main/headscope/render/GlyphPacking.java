package headscope.render;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** Assigns glyphs to rows of a texture. Each combination of glyph, size and phase occurs once. */
final class GlyphPacking {
    private record Key(Font.Glyph glyph, float size, int phase) {}

    /**
     * A glyph in the texture.
     *
     * @param u left edge, in texels
     * @param v top edge, in texels
     */
    record Entry(int u, int v, Font.Bitmap bitmap) {}

    private final Font font;
    private final int width;
    private final Map<Key, Entry> entries = new LinkedHashMap<>();
    private int rowTop;
    private int rowHeight;
    private int rowEnd;

    /** @param width of the texture, in texels */
    GlyphPacking(Font font, int width) {
        this.font = font;
        this.width = width;
    }

    Entry entry(Font.Glyph glyph, float size, int phase) {
        return entries.computeIfAbsent(new Key(glyph, size, phase), _ -> place(font.bitmap(glyph, size, phase)));
    }

    private Entry place(Font.Bitmap bitmap) {
        if (bitmap.width() > width) {
            throw new IllegalArgumentException(
                    "a glyph %d pixels wide does not fit into %d texels".formatted(bitmap.width(), width));
        }
        if (rowEnd + bitmap.width() > width) {
            rowTop += rowHeight;
            rowEnd = 0;
            rowHeight = 0;
        }
        Entry entry = new Entry(rowEnd, rowTop, bitmap);
        rowEnd += bitmap.width();
        rowHeight = Math.max(rowHeight, bitmap.height());
        return entry;
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    /** Height of the rows so far, in texels. */
    int height() {
        return rowTop + rowHeight;
    }
}
