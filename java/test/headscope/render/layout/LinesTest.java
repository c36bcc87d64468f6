package headscope.render.layout;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

final class LinesTest {
    @Test
    void breaksAtSpacesAndInsideLongWords() {
        assertEquals(List.of("one two", "three"), wrap(" one two\nthree ", 7));
        assertEquals(List.of("a", "lengt", "hy", "word"), wrap("a lengthy word", 5));
        assertEquals(List.of("🙂", "🙂"), wrap("🙂🙂", 1));
        assertEquals(List.of("whole"), wrap("whole", 99));
    }

    @Test
    void breaksCompoundWordsAfterHyphens() {
        assertEquals(List.of("Decision-", "making"), wrap("Decision-making", 10));
        assertEquals(List.of("a Two-", "sided", "test"), wrap("a Two-sided test", 6));
        assertEquals(List.of("Decision-making"), wrap("Decision-making", 15));
        assertEquals(List.of("k", "-0.5"), wrap("k -0.5", 4));
        assertEquals(List.of("1e-", "9"), wrap("1e-9", 3), "only because it is longer than a line");
    }

    @Test
    void aTextThatNeedsTooManyLinesLosesItsMiddle() {
        String text = "a name of some length (Always)";
        assertEquals(List.of("a name of some", "length (Always)"), Lines.wrap(text, 15, 2, String::length));
        assertEquals(List.of("a name of", "som\u2026Always)"), Lines.wrap(text, 11, 2, String::length));
        assertEquals(List.of("a name\u2026ays)"), Lines.wrap(text, 11, 1, String::length));
        assertEquals(List.of("\ud83d\ude42\ud83d\ude42\u2026\ud83d\ude42"), Lines.wrap("\ud83d\ude42".repeat(9), 4, 1,
                part -> part.codePointCount(0, part.length())));
    }

    /** Each character has a width of 1. */
    private static List<String> wrap(String text, int length) {
        return Lines.wrap(text, length, part -> part.codePointCount(0, part.length()));
    }
}
