package headscope.live.screen;

import java.text.BreakIterator;
import java.util.Locale;

/** A text that the user writes, with a caret and a selection. Positions are UTF-16 indices between whole characters. */
public final class PromptEditor {
    private final StringBuilder text;
    private int caret;
    private int anchor; // where the selection begins; the caret is its other end

    /** All of the text is selected, so that typing replaces it. */
    public PromptEditor(String text) {
        this.text = new StringBuilder(text);
        selectAll();
    }

    public String text() {
        return text.toString();
    }

    public int caret() {
        return caret;
    }

    /** The first position of the selection. */
    public int selectionStart() {
        return Math.min(caret, anchor);
    }

    /** The last position of the selection, equal to the first if nothing is selected. */
    public int selectionEnd() {
        return Math.max(caret, anchor);
    }

    public String selected() {
        return text.substring(selectionStart(), selectionEnd());
    }

    public void selectAll() {
        anchor = 0;
        caret = text.length();
    }

    /** Replaces the selection. Control characters other than the line's end are left out. */
    public void insert(String typed) {
        StringBuilder kept = new StringBuilder();
        typed.replace("\r\n", "\n").replace('\r', '\n').codePoints()
                .filter(character -> character == '\n' || !Character.isISOControl(character))
                .forEach(kept::appendCodePoint);
        int start = selectionStart();
        text.replace(start, selectionEnd(), kept.toString());
        moveTo(start + kept.length(), false);
    }

    /** Deletes the selection, or else the character before the caret. */
    public void deleteBefore() {
        if (caret == anchor) {
            caret = before(caret);
        }
        insert("");
    }

    /** Deletes the selection, or else the character after the caret. */
    public void deleteAfter() {
        if (caret == anchor) {
            caret = after(caret);
        }
        insert("");
    }

    /** @param select whether the selection is extended; otherwise it ends */
    public void left(boolean select) {
        moveTo(select || caret == anchor ? before(caret) : selectionStart(), select);
    }

    /** @param select whether the selection is extended; otherwise it ends */
    public void right(boolean select) {
        moveTo(select || caret == anchor ? after(caret) : selectionEnd(), select);
    }

    /** Moves the caret to a position, or to the character's beginning if the position is within one. */
    public void moveTo(int position, boolean select) {
        int within = Math.clamp(position, 0, text.length());
        caret = within == text.length() ? within : before(within + 1);
        if (!select) {
            anchor = caret;
        }
    }

    private int before(int position) {
        return position <= 0 ? 0 : characters().preceding(position);
    }

    private int after(int position) {
        return position >= text.length() ? text.length() : characters().following(position);
    }

    /** Boundaries of what a reader takes for one character, such as a letter with its accents. */
    private BreakIterator characters() {
        BreakIterator characters = BreakIterator.getCharacterInstance(Locale.ROOT);
        characters.setText(text.toString());
        return characters;
    }
}
