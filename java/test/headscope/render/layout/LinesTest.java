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

    /** Each character has a width of 1. */
    private static List<String> wrap(String text, int length) {
        return Lines.wrap(text, length, part -> part.codePointCount(0, part.length()));
    }
}
