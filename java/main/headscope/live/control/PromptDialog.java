package headscope.live.control;

import headscope.live.screen.PromptEditor;
import headscope.live.screen.PromptPanel;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus.Mouse;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import headscope.render.window.Input;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Lets the user write a prompt. Needs neither window nor OpenGL. */
final class PromptDialog {
    private static final int PAGE = 8; // lines

    private final PromptEditor editor;
    private final TextMeasure measure;
    private final Consumer<String> clipboard;
    private boolean selecting;
    private Result result = Result.OPEN;

    enum Result {
        OPEN,
        STARTED,
        CANCELLED
    }

    PromptDialog(String prompt, TextMeasure measure, Consumer<String> clipboard) {
        this.editor = new PromptEditor(prompt);
        this.measure = measure;
        this.clipboard = clipboard;
    }

    String text() {
        return editor.text();
    }

    List<Scene.Part> parts(ScreenLayout layout, boolean dark, Optional<Mouse> mouse) {
        return new PromptPanel(editor, layout, dark, measure).parts(mouse);
    }

    Result on(Input input, ScreenLayout layout) {
        PromptPanel panel = new PromptPanel(editor, layout, true, measure);
        switch (input) {
            case Input.Typed(int codePoint) -> editor.insert(Character.toString(codePoint));
            case Input.Pasted(String pasted) -> editor.insert(pasted);
            case Input.Pressed(Input.Key key, boolean shift) -> press(key, shift, panel);
            case Input.ButtonDown button -> press(button, panel.at(button.x(), button.y()));
            case Input.Moved(double x, double y) -> {
                if (selecting && panel.at(x, y) instanceof PromptPanel.Place.Text(int position)) {
                    editor.moveTo(position, true);
                }
            }
            case Input.ButtonUp _ -> selecting = false;
            case Input.Left _, Input.Scrolled _ -> { }
        }
        return result;
    }

    private void press(Input.ButtonDown button, PromptPanel.Place on) {
        switch (on) {
            case PromptPanel.Place.Start _ -> result = Result.STARTED;
            case PromptPanel.Place.Cancel _ -> result = Result.CANCELLED;
            case PromptPanel.Place.Text(int position) -> {
                editor.moveTo(position, false);
                selecting = button.clicks() == 1;
                if (button.clicks() > 1) {
                    editor.selectAll();
                }
            }
            case PromptPanel.Place.Elsewhere _ -> { }
        }
    }

    private void press(Input.Key key, boolean shift, PromptPanel panel) {
        switch (key) {
            case LEFT -> editor.left(shift);
            case RIGHT -> editor.right(shift);
            case UP -> editor.moveTo(panel.vertical(-1), shift);
            case DOWN -> editor.moveTo(panel.vertical(1), shift);
            case PAGE_UP -> editor.moveTo(panel.vertical(-PAGE), shift);
            case PAGE_DOWN -> editor.moveTo(panel.vertical(PAGE), shift);
            case HOME -> editor.moveTo(panel.lineStart(), shift);
            case END -> editor.moveTo(panel.lineEnd(), shift);
            case BACKSPACE -> editor.deleteBefore();
            case DELETE -> editor.deleteAfter();
            case SELECT_ALL -> editor.selectAll();
            case COPY -> copy();
            case CUT -> {
                copy();
                editor.insert("");
            }
            case ENTER -> {
                if (shift) {
                    editor.insert("\n");
                } else {
                    result = Result.STARTED;
                }
            }
            case ESCAPE -> result = Result.CANCELLED;
        }
    }

    private void copy() {
        if (!editor.selected().isEmpty()) {
            clipboard.accept(editor.selected());
        }
    }
}
