package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

final class RightToLeftTest {
    @Test
    void leftToRightTextIsUnchanged() {
        String text = "Layer 7, лошадь";
        assertSame(text, RightToLeft.visual(text));
    }

    @Test
    void hebrewIsReversed() {
        assertEquals("\u05E1\u05D5\u05E1 12 \u05D0\u05D1", RightToLeft.visual("\u05D1\u05D0 12 \u05E1\u05D5\u05E1"));
    }

    @Test
    void arabicLettersAreJoined() {
        // hah, sad, alef, noon: initial, medial, final, isolated, since alef does not join the next letter
        assertEquals("\uFEE5\uFE8E\uFEBC\uFEA3", RightToLeft.visual("\u062D\u0635\u0627\u0646"));
        // with a vowel sign between the letters
        assertEquals("\uFE94\u064E\uFE91", RightToLeft.visual("\u0628\u064E\u0629"));
    }
}
