package headscope.render;

import static org.lwjgl.stb.STBTruetype.*;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.lwjgl.BufferUtils;
import org.lwjgl.stb.STBTTFontinfo;
import org.lwjgl.system.MemoryStack;

/** Roboto Regular, out of a library's jar, so that a figure looks the same on every machine. */
final class Font implements TextMeasure {
    private static final String FILE = "/com/formdev/flatlaf/fonts/roboto/Roboto-Regular.ttf";

    /** Glyphs start at multiples of 1 / PHASES of a pixel. */
    static final int PHASES = 4;

    private final ByteBuffer bytes; // STBTTFontinfo points into it
    private final STBTTFontinfo info = STBTTFontinfo.create();

    Font() {
        try (InputStream in = Font.class.getResourceAsStream(FILE)) {
            byte[] file = in.readAllBytes();
            bytes = BufferUtils.createByteBuffer(file.length).put(file).flip();
        } catch (IOException problem) {
            throw new UncheckedIOException(FILE, problem);
        }
        if (!stbtt_InitFont(info, bytes)) {
            throw new IllegalStateException(FILE + " is not a font");
        }
    }

    /** A glyph of a line and where the pen stands when it is drawn, in pixels from the start of the line. */
    record Placed(int glyph, double pen) {}

    /** Walks a line of text; returns its length in pixels. */
    double walk(String text, float size, Consumer<Placed> glyphs) {
        float scale = scale(size);
        double pen = 0;
        int previous = -1;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var advance = stack.mallocInt(1);
            var bearing = stack.mallocInt(1);
            for (int character : text.codePoints().toArray()) {
                int glyph = stbtt_FindGlyphIndex(info, character);
                if (previous >= 0) {
                    pen += scale * stbtt_GetGlyphKernAdvance(info, previous, glyph);
                }
                glyphs.accept(new Placed(glyph, pen));
                stbtt_GetGlyphHMetrics(info, glyph, advance, bearing);
                pen += scale * advance.get(0);
                previous = glyph;
            }
        }
        return pen;
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
    Bitmap bitmap(int glyph, float size, int phase) {
        float scale = scale(size);
        float shift = (float) phase / PHASES;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var x0 = stack.mallocInt(1);
            var y0 = stack.mallocInt(1);
            var x1 = stack.mallocInt(1);
            var y1 = stack.mallocInt(1);
            stbtt_GetGlyphBitmapBoxSubpixel(info, glyph, scale, scale, shift, 0, x0, y0, x1, y1);
            int width = x1.get(0) - x0.get(0);
            int height = y1.get(0) - y0.get(0);
            ByteBuffer coverage = BufferUtils.createByteBuffer(width * height);
            if (width * height > 0) {
                stbtt_MakeGlyphBitmapSubpixel(info, coverage, width, height, width, scale, scale, shift, 0, glyph);
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
        return scale(size) * -edges('p')[0];
    }

    @Override
    public double capHeight(float size) {
        return top('H', size);
    }

    private double top(int character, float size) {
        return scale(size) * edges(character)[1];
    }

    /** Lowest and highest point of a character above the baseline, in units of the font. */
    private int[] edges(int character) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var low = stack.mallocInt(1);
            var high = stack.mallocInt(1);
            stbtt_GetCodepointBox(info, character, null, low, null, high);
            return new int[] {low.get(0), high.get(0)};
        }
    }

    private float scale(float size) {
        return stbtt_ScaleForMappingEmToPixels(info, size);
    }
}
