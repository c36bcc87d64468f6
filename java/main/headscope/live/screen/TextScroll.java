package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.render.TextMeasure;
import java.util.OptionalInt;

/** Scrolls the text, with the layout of the screen and without OpenGL. */
public final class TextScroll {
    private final TextPart words;
    private final TextMeasure measure;

    public TextScroll(LiveText text, TextMeasure measure) {
        this.words = new TextPart(text);
        this.measure = measure;
    }

    /** Where the text stands after a move, as in {@link ViewState#textTop}. */
    public OptionalInt moved(ViewState view, ScreenLayout layout, TextMove by) {
        return words.moved(new Canvas(Theme.of(view.dark()), layout.scale(), measure), layout, view, by);
    }
}
