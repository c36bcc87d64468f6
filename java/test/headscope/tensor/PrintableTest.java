package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrintableTest {
    /** Escape, bell, a C1 control, a bidirectional override and isolate, line separators, a mark and a tag character. */
    @ParameterizedTest
    @CsvSource({
        "a\u001b[31m, a\\u001b[31m", "a\u0007b, a\\u0007b", "a\u009b1m, a\\u009b1m", "\u202etxt, \\u202etxt",
        "\u2066a, \\u2066a", "a\u2028b, a\\u2028b", "a\ufeffb, a\\ufeffb", "\ud800, \\ud800",
        "\udb40\udc41, \\udb40\\udc41"
    })
    void escapesControlAndFormattingCharacters(String text, String line) {
        assertEquals(line, Printable.line(text));
    }

    @Test
    void keepsLettersEmojiAndTheirJoiners() {
        String family = "日本 é \u0915\u094d\u200d\u0937 \ud83d\udc68\u200d\ud83d\udc69";
        assertEquals(family, Printable.line(family));
    }

    @Test
    void keepsTabsAndLineFeedsOfLayouts() {
        assertEquals("a\tb\n\\u001b", Printable.lines("a\tb\n\u001b"));
        assertEquals("a\\u0009b\\u000ac", Printable.line("a\tb\nc"));
    }

    @Test
    void shortensTheMiddleOfALongLine() {
        String line = Printable.line("start" + "x".repeat(5000) + "end", 100);
        assertEquals(100, line.length());
        assertTrue(line.startsWith("startx") && line.contains("x ... x") && line.endsWith("xend"), line);
        assertEquals("x".repeat(100), Printable.line("x".repeat(100), 100));
    }

    /** A pair that a cut would divide is omitted. */
    @Test
    void doesNotDivideSurrogatePairs() {
        for (int shift = 0; shift < 2; shift++) {
            String line = Printable.line("x".repeat(shift) + "\ud83d\udc68".repeat(500), 100);
            assertTrue(line.length() <= 100 && StrictJson.wellFormed(line), line);
            assertTrue(StrictJson.wellFormed(Printable.quote("x".repeat(shift) + "\ud83d\udc68".repeat(500))));
        }
    }
}
