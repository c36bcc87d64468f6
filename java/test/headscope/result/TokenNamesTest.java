package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TokenNamesTest {
    @Test
    void marksOfSpacesAreRemoved() {
        assertNames("<CHI> painted a", "<CHI>", "\u0120painted", "\u0120a");
        assertNames("<s> my horse s <0xE4>", "<s>", "\u2581my", "\u2581horse", "s", "<0xE4>");
        assertNames("my horse", "my", " horse");
    }

    @Test
    void invisibleCharactersAreEscaped() {
        assertNames("a \u2423 \\n \\t", "a", "\u0120", "\u010A", "\u0109");
        assertNames("\u2423\u2423 \\n", "\u2581\u2581", "\n");
        assertNames("U+200B U+FE0F a\u200cb", "\u200b", "\ufe0f", "a\u200cb");
        assertNames("\u25cc\u093f e\u0301", "\u093f", "e\u0301");
    }

    @Test
    void bytesAreDecoded() {
        // a greeting in Chinese, a French word, and a sign cut in two
        assertNames("\u4F60\u597D caf\u00E9", "\u00E4\u00BD\u0142\u00E5\u00A5\u00BD", "\u0120caf\u00C3\u00A9");
        assertNames("a \\xF0\\x9F\\x94 \\x94", "a", "\u00F0\u0141\u0136", "\u0136");
    }

    /** Averaged texts differ in the first two bytes of a character, and in the last one. */
    @Test
    void bytesAroundDifferences() {
        assertNames("the * \\x94 a \\xF0\\x9F *", "the", "*", "\u0136", "\u0120a", "\u00F0\u0141", "*");
        assertNames("caf\u00E9 * na\u00EFve", "caf\u00E9", "*", "na\u00EFve");
    }

    @Test
    void piecesOfCharacters() {
        assertEquals("\\xF0\\x9F", TokenNames.ofPiece("\u00F0\u0141"));
        assertEquals("<0xF0>", TokenNames.ofPiece("<0xF0>"));
        assertEquals("<eos>", TokenNames.ofPiece("<eos>"));
    }

    @Test
    void lettersThatResembleBytesAreKept() {
        assertNames("caf\u00E9 \u00E0", "\u2581caf\u00E9", "\u2581\u00E0");
        assertNames("caf\u00E9", "caf\u00E9");
        assertNames("\u043B\u043E\u0448\u0430\u0434\u044C", "\u043B\u043E\u0448\u0430\u0434\u044C");
    }

    private static void assertNames(String expected, String... tokens) {
        assertEquals(expected, String.join(" ", TokenNames.of(List.of(tokens))));
    }
}
