package headscope.render;

import static org.lwjgl.stb.STBTruetype.*;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.lwjgl.BufferUtils;
import org.lwjgl.stb.STBTTFontinfo;
import org.lwjgl.system.MemoryStack;

/**
 * Roboto Regular with two fallbacks for missing characters: DejaVu Sans, and the Noto and Symbola fonts of the system.
 * The first two come from jars, so that figures look the same on every machine. A character without a glyph becomes a
 * box.
 */
public final class Font implements TextMeasure {
    /** Glyphs start at multiples of 1 / PHASES of a pixel. */
    static final int PHASES = 4;

    /** Scale of the fallback fonts, whose letters are larger than Roboto's. */
    private static final double FALLBACK_SCALE = 0.88;

    private final FontFace roboto = FontFace.packed("/com/formdev/flatlaf/fonts/roboto/Roboto-Regular.ttf", 1);
    private final List<FontFace> packed = List.of(
            roboto, FontFace.packed("/net/sf/jasperreports/fonts/dejavu/DejaVuSans.ttf", FALLBACK_SCALE));
    private Optional<List<FontFace>> system = Optional.empty(); // opened for the first character that the others lack

    /** A glyph by its index in a font. */
    record Glyph(FontFace face, int index) {}

    /** A glyph of a line and its pen position, in pixels from the start of the line. */
    record Placed(Glyph glyph, double pen) {}

    /** Passes the glyphs of a line from left to right; returns the length of the line in pixels. */
    double walk(String text, float size, Consumer<Placed> glyphs) {
        double pen = 0;
        Glyph previous = null;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var advance = stack.mallocInt(1);
            var bearing = stack.mallocInt(1);
            for (int character : RightToLeft.visual(text).codePoints().toArray()) {
                Glyph glyph = glyph(character);
                STBTTFontinfo font = glyph.face().info();
                float scale = glyph.face().scale(size);
                if (previous != null && previous.face() == glyph.face()) {
                    pen += scale * stbtt_GetGlyphKernAdvance(font, previous.index(), glyph.index());
                }
                glyphs.accept(new Placed(glyph, pen));
                stbtt_GetGlyphHMetrics(font, glyph.index(), advance, bearing);
                pen += scale * advance.get(0);
                previous = glyph;
            }
        }
        return pen;
    }

    /** The glyph of the first font that has the character, or a box if none has it. */
    private Glyph glyph(int character) {
        return glyph(packed, character)
                .or(() -> glyph(systemFonts(), character))
                .orElse(new Glyph(roboto, 0));
    }

    private List<FontFace> systemFonts() {
        if (system.isEmpty()) {
            system = Optional.of(FontFace.ofSystem(FALLBACK_SCALE));
        }
        return system.get();
    }

    private static Optional<Glyph> glyph(List<FontFace> faces, int character) {
        return faces.stream()
                .map(face -> new Glyph(face, face.glyph(character)))
                .filter(glyph -> glyph.index() != 0)
                .findFirst();
    }

    /** Whether a font has the character. */
    public boolean has(int character) {
        return glyph(character).index() != 0;
    }

    /**
     * The coverage of a glyph.
     *
     * @param x        left edge, in pixels from the pen
     * @param y        top edge, in pixels below the baseline
     * @param coverage [height, width], row-major
     */
    record Bitmap(int x, int y, int width, int height, ByteBuffer coverage) {}

    /** The glyph, shifted to the right by {@code phase / PHASES} of a pixel. */
    Bitmap bitmap(Glyph glyph, float size, int phase) {
        STBTTFontinfo font = glyph.face().info();
        float scale = glyph.face().scale(size);
        float shift = (float) phase / PHASES;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var x0 = stack.mallocInt(1);
            var y0 = stack.mallocInt(1);
            var x1 = stack.mallocInt(1);
            var y1 = stack.mallocInt(1);
            stbtt_GetGlyphBitmapBoxSubpixel(font, glyph.index(), scale, scale, shift, 0, x0, y0, x1, y1);
            int width = x1.get(0) - x0.get(0);
            int height = y1.get(0) - y0.get(0);
            ByteBuffer coverage = BufferUtils.createByteBuffer(width * height);
            if (width * height > 0) {
                stbtt_MakeGlyphBitmapSubpixel(
                        font, coverage, width, height, width, scale, scale, shift, 0, glyph.index());
            }
            return new Bitmap(x0.get(0), y0.get(0), width, height, coverage);
        }
    }

    @Override
    public double width(String text, float size) {
        return walk(text, size, placed -> {});
    }

    @Override
    public double ascent(float size) {
        return top('d', size);
    }

    @Override
    public double descent(float size) {
        return roboto.scale(size) * -edges('p')[0];
    }

    @Override
    public double capHeight(float size) {
        return top('H', size);
    }

    private double top(int character, float size) {
        return roboto.scale(size) * edges(character)[1];
    }

    /** Lowest and highest point of a character relative to the baseline, in font units, up. */
    private int[] edges(int character) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var low = stack.mallocInt(1);
            var high = stack.mallocInt(1);
            stbtt_GetCodepointBox(roboto.info(), character, null, low, null, high);
            return new int[] {low.get(0), high.get(0)};
        }
    }
}
