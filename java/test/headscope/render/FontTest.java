package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class FontTest {
    private final Font font = new Font();

    @Test
    void widthIsProportionalToTheSize() {
        double width = font.width("Head Index", 16);
        assertTrue(width > 60 && width < 100, "width " + width);
        assertEquals(2 * width, font.width("Head Index", 32), 1e-3);
        assertEquals(0, font.width("", 16));
    }

    @Test
    void digitsHaveTheSameWidth() {
        for (int digit = 1; digit < 10; digit++) {
            assertEquals(font.width("0", 16), font.width(Integer.toString(digit), 16), 1e-3);
        }
    }

    /** Which fonts the machine has differs, but none has a private-use character, and the bundled ones have Greek. */
    @Test
    void namesTheFontsOfCharactersWithoutAGlyph() {
        assertEquals(List.of(), MissingFont.of(font, "Head \u03b1 \u05d0".codePoints()));
        assertEquals(1,
                MissingFont.of(font, "\ue000\ue001".codePoints()).size());
        for (MissingFont missing : MissingFont.ofCommonScripts()) {
            assertTrue(missing.debianPackage().startsWith("fonts-"), missing.toString());
        }
        assertTrue(font.has('A') && !font.has(0xe000));
    }

    @Test
    void pairsAreKerned() {
        assertTrue(font.width("AV", 16) < font.width("A", 16) + font.width("V", 16) - 0.3);
    }

    @Test
    void capitalsAreLowerThanAscenders() {
        assertEquals(0.711, font.capHeight(1000) / 1000, 0.002);
        assertTrue(font.ascent(16) > font.capHeight(16));
        assertTrue(font.descent(16) > 2 && font.descent(16) < 5);
    }

    @Test
    void aBitmapHasTheSizeOfItsGlyphAndInk() {
        font.walk("l", 40, placed -> {
            Font.Bitmap bitmap = font.bitmap(placed.glyph(), 40, 0);
            assertEquals(font.ascent(40), bitmap.height(), 1.5);
            assertEquals(-bitmap.y(), bitmap.height());
            boolean solid = false;
            while (bitmap.coverage().hasRemaining()) {
                solid |= bitmap.coverage().get() == (byte) 255;
            }
            assertTrue(solid);
        });
    }

    @Test
    void phasesShiftTheInkToTheRight() {
        font.walk("l", 20, placed -> {
            double previous = -1;
            for (int phase = 0; phase < Font.PHASES; phase++) {
                double middle = middle(font.bitmap(placed.glyph(), 20, phase));
                assertTrue(phase == 0 || Math.abs(middle - previous - 1.0 / Font.PHASES) < 0.1, "phase " + phase);
                previous = middle;
            }
        });
    }

    /** Centre of mass of the ink, in pixels from the pen. */
    private static double middle(Font.Bitmap bitmap) {
        double moment = 0;
        double ink = 0;
        for (int i = 0; i < bitmap.width() * bitmap.height(); i++) {
            int coverage = bitmap.coverage().get(i) & 255;
            moment += coverage * (bitmap.x() + i % bitmap.width() + 0.5);
            ink += coverage;
        }
        return moment / ink;
    }
}
