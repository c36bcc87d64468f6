package headscope.live.screen;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class PromptEditorTest {
    @Test
    void typingReplacesTheSelectionAndMovesTheCaret() {
        PromptEditor editor = new PromptEditor("old");
        assertEquals("old", editor.selected());
        editor.insert("a");
        editor.insert("bc");
        editor.left(false);
        editor.insert("-");
        assertEquals("ab-c", editor.text());
        assertEquals(3, editor.caret());
    }

    @Test
    void shiftExtendsTheSelectionAndArrowsEndItAtItsSides() {
        PromptEditor editor = new PromptEditor("abcd");
        editor.moveTo(1, false);
        editor.right(true);
        editor.right(true);
        assertEquals("bc", editor.selected());
        editor.left(false);
        assertEquals(1, editor.caret());
        assertEquals("", editor.selected());
        editor.right(true);
        editor.deleteAfter();
        assertEquals("acd", editor.text());
    }

    @Test
    void deletingRemovesWholeCharacters() {
        PromptEditor editor = new PromptEditor("");
        editor.insert("a\uD83D\uDE00e\u0301");
        editor.deleteBefore();
        assertEquals("a\uD83D\uDE00", editor.text());
        editor.moveTo(2, false); // inside the emoji
        assertEquals(1, editor.caret());
        editor.deleteAfter();
        assertEquals("a", editor.text());
        editor.deleteAfter();
        editor.deleteBefore();
        editor.deleteBefore();
        assertEquals("", editor.text());
    }

    @Test
    void pastedLineEndsAreNormalisedAndControlCharactersLeftOut() {
        PromptEditor editor = new PromptEditor("");
        editor.insert("a\r\nb\rc\u0007\td");
        assertEquals("a\nb\ncd", editor.text());
    }
}
