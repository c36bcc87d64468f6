package headscope.render;

import static org.lwjgl.stb.STBTruetype.*;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.lwjgl.BufferUtils;
import org.lwjgl.stb.STBTTFontinfo;
import org.lwjgl.system.MemoryStack;

/**
 * Roboto Regular and, for letters that it lacks, DejaVu Sans, both out of libraries' jars, so that a figure looks the
 * same on every machine; letters that neither has (Chinese, Japanese, Korean) come from fonts of the system, or are
 * boxes.
 */
final class Font implements TextMeasure {
    /** Glyphs start at multiples of 1 / PHASES of a pixel. */
    static final int PHASES = 4;

    /** Other fonts' letters are larger than Roboto's, and would leave its lines. */
    private static final double LARGER = 0.88;

    private final FontFace roboto = FontFace.packed("/com/formdev/flatlaf/fonts/roboto/Roboto-Regular.ttf", 1);
    private final List<FontFace> faces = Stream.concat(
            Stream.of(roboto, FontFace.packed("/net/sf/jasperreports/fonts/dejavu/DejaVuSans.ttf", LARGER)),
            FontFace.ofSystem(LARGER)).toList();

    /** A glyph by its number in a font. */
    record Glyph(FontFace face, int number) {}

    /** A glyph of a line and where the pen stands when it is drawn, in pixels from the start of the line. */
    record Placed(Glyph glyph, double pen) {}

    /** Walks a line of text from left to right; returns its length in pixels. */
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
                    pen += scale * stbtt_GetGlyphKernAdvance(font, previous.number(), glyph.number());
                }
                glyphs.accept(new Placed(glyph, pen));
                stbtt_GetGlyphHMetrics(font, glyph.number(), advance, bearing);
                pen += scale * advance.get(0);
                previous = glyph;
            }
        }
        return pen;
    }

    /** Of the first font that has the character; a box, if none has. */
    private Glyph glyph(int character) {
        return faces.stream()
                .map(face -> new Glyph(face, face.glyph(character)))
                .filter(glyph -> glyph.number() != 0)
                .findFirst()
                .orElse(new Glyph(roboto, 0));
    }

    /**
     * One glyph's coverage.
     *
     * @param x        of the left edge, in pixels from the pen
     * @param y        of the top edge, in pixels from the baseline, down
     * @param coverage [height, width], row-major
     */
    record Bitmap(int x, int y, int width, int height, ByteBuffer coverage) {}

    /** The glyph drawn {@code phase / PHASES} of a pixel to the right of a whole pixel. */
    Bitmap bitmap(Glyph glyph, float size, int phase) {
        STBTTFontinfo font = glyph.face().info();
        float scale = glyph.face().scale(size);
        float shift = (float) phase / PHASES;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var x0 = stack.mallocInt(1);
            var y0 = stack.mallocInt(1);
            var x1 = stack.mallocInt(1);
            var y1 = stack.mallocInt(1);
            stbtt_GetGlyphBitmapBoxSubpixel(font, glyph.number(), scale, scale, shift, 0, x0, y0, x1, y1);
            int width = x1.get(0) - x0.get(0);
            int height = y1.get(0) - y0.get(0);
            ByteBuffer coverage = BufferUtils.createByteBuffer(width * height);
            if (width * height > 0) {
                stbtt_MakeGlyphBitmapSubpixel(
                        font, coverage, width, height, width, scale, scale, shift, 0, glyph.number());
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

    /** Lowest and highest point of a character above the baseline, in units of the font. */
    private int[] edges(int character) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var low = stack.mallocInt(1);
            var high = stack.mallocInt(1);
            stbtt_GetCodepointBox(roboto.info(), character, null, low, null, high);
            return new int[] {low.get(0), high.get(0)};
        }
    }
}
