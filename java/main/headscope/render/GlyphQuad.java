package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.util.List;

/**
 * A glyph of a label and its place in its line, in whole pixels.
 *
 * @param pen      along the line
 * @param baseline across the line
 */
record GlyphQuad(Label label, GlyphPacking.Entry glyph, int pen, int baseline) {
    /** x, y, u, v of the top left corner; upper edge x, y; left edge x, y; red, green, blue. */
    static final int FLOATS = 11;

    /** Rounds to 1 / PHASES of a pixel along the line, and to whole pixels across it. */
    static GlyphQuad of(Label label, Font.Placed placed, GlyphPacking packing) {
        double start = label.upward() ? -label.y() : label.x();
        long phases = Math.round((start + placed.pen()) * Font.PHASES);
        int phase = Math.floorMod(phases, Font.PHASES);
        return new GlyphQuad(label, packing.entry(placed.glyph(), label.size(), phase),
                (int) Math.floorDiv(phases, Font.PHASES), (int) Math.round(label.upward() ? label.x() : label.y()));
    }

    /** [glyphs, {@link #FLOATS}], for the program {@code text}. */
    static float[] attributes(List<GlyphQuad> glyphs) {
        float[] attributes = new float[FLOATS * glyphs.size()];
        for (int i = 0; i < glyphs.size(); i++) {
            glyphs.get(i).write(attributes, FLOATS * i);
        }
        return attributes;
    }

    private void write(float[] attributes, int at) {
        Font.Bitmap bitmap = glyph.bitmap();
        boolean upward = label.upward();
        int along = pen + bitmap.x();
        int across = baseline + bitmap.y();
        attributes[at] = upward ? across : along;
        attributes[at + 1] = upward ? -along : across;
        attributes[at + 2] = glyph.u();
        attributes[at + 3] = glyph.v();
        attributes[at + 4] = upward ? 0 : bitmap.width();
        attributes[at + 5] = upward ? -bitmap.width() : 0;
        attributes[at + 6] = upward ? bitmap.height() : 0;
        attributes[at + 7] = upward ? 0 : bitmap.height();
        attributes[at + 8] = (label.rgb() >> 16 & 255) / 255f;
        attributes[at + 9] = (label.rgb() >> 8 & 255) / 255f;
        attributes[at + 10] = (label.rgb() & 255) / 255f;
    }

    /** Writes glyphs into the bound texture (R8, coverage). */
    static void upload(Iterable<GlyphPacking.Entry> entries) {
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
        for (GlyphPacking.Entry entry : entries) {
            Font.Bitmap bitmap = entry.bitmap();
            if (bitmap.coverage().hasRemaining()) {
                glTexSubImage2D(GL_TEXTURE_2D, 0, entry.u(), entry.v(), bitmap.width(), bitmap.height(), GL_RED,
                        GL_UNSIGNED_BYTE, bitmap.coverage());
            }
        }
        glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
    }
}
