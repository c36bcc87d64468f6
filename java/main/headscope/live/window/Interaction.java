package headscope.live.window;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.screen.MenuBar;
import headscope.live.screen.Pick;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus.Mouse;
import headscope.live.window.Action.Desk;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import headscope.render.window.Input;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What keyboard and mouse mean at present: they write the prompt while it is open, choose in a menu while one is open, and
 * otherwise act on the view. Needs neither window nor OpenGL.
 */
public final class Interaction {
    /** A button that goes up nearer to where it went down has clicked rather than dragged; in units of 1/96 inch. */
    private static final double CLICK_DISTANCE = 4;

    private final LiveText text;
    private final Consumer<Command> commands;
    private final Controls controls;
    private final TextMeasure measure;
    private final Consumer<String> clipboard;
    private String prompt;
    private Optional<PromptDialog> dialog = Optional.empty();
    private OptionalInt menu = OptionalInt.empty();
    private Optional<Mouse> mouse = Optional.empty();
    private Optional<Mouse> down = Optional.empty(); // where the button went down
    private Optional<Mouse> dragging = Optional.empty(); // where the mouse was last while it is down
    private boolean dragged;
    private boolean recording;

    /** What a pixel of the screen shows. */
    @FunctionalInterface
    public interface Picker {
        Pick at(ViewState view, double x, double y);
    }

    /** @param prompt with which the text has begun */
    public Interaction(
            LiveText text, ViewState view, String prompt, Consumer<Command> commands, TextMeasure measure,
            Consumer<String> clipboard) {
        this.text = text;
        this.commands = commands;
        this.controls = new Controls(text.source(), view, commands);
        this.prompt = prompt;
        this.measure = measure;
        this.clipboard = clipboard;
    }

    public ViewState view() {
        return controls.view();
    }

    /** Where the mouse points to the screen, unless a menu or the prompt lies over it. */
    public Optional<Mouse> pointer(ScreenLayout layout) {
        boolean covered = dialog.isPresent() || menu.isPresent() || down.isPresent() && dragged
                || mouse.filter(at -> !(bar(layout).at(at.x(), at.y()) instanceof MenuBar.Place.Elsewhere)).isPresent();
        return covered ? Optional.empty() : mouse;
    }

    public void setRecording(boolean now) {
        recording = now;
    }

    /** The menus, and the prompt while it is written, over the screen. */
    public List<Scene.Part> parts(ScreenLayout layout) {
        return dialog.map(open -> open.parts(layout, view().dark(), mouse)).orElseGet(() -> bar(layout).parts(mouse));
    }

    private MenuBar bar(ScreenLayout layout) {
        return new MenuBar(menus().shown(), menu, layout, view().dark(), measure);
    }

    private Menus menus() {
        return Menus.of(view(), text.source(), state(), recording);
    }

    private State state() {
        return text.frame().map(Frame::state).orElse(State.READING);
    }

    /** Follows the head that the stream shows closely, which another viewer may have chosen. */
    public void follow(ChosenHead chosen) {
        controls.follow(chosen.layer(), chosen.head());
    }

    /** @return what the owner of the window has to do */
    public Optional<Desk> on(Input input, ScreenLayout layout, Picker picker) {
        switch (input) {
            case Input.Moved(double x, double y) -> mouse = Optional.of(new Mouse(x, y));
            case Input.Left _ -> mouse = Optional.empty();
            default -> { }
        }
        if (dialog.isPresent()) {
            write(dialog.get(), input, layout);
            return Optional.empty();
        }
        return switch (input) {
            case Input.Typed(int codePoint) -> Keys.typed(codePoint).flatMap(this::act);
            case Input.Pressed(Input.Key key, _) -> {
                boolean closes = menu.isPresent() && key == Input.Key.ESCAPE;
                menu = OptionalInt.empty();
                yield closes ? Optional.empty() : Keys.pressed(key).flatMap(this::act);
            }
            case Input.ButtonDown button -> press(button, layout);
            case Input.ButtonUp(double x, double y) -> {
                release(x, y, picker);
                yield Optional.empty();
            }
            case Input.Moved(double x, double y) -> {
                move(x, y, layout);
                yield Optional.empty();
            }
            case Input.Scrolled(double steps, double x, double y) -> {
                text.frame().ifPresent(frame -> controls.zoom(
                        steps, x, y, layout, frame.cells(), text.chosen().map(ChosenHead::columns).orElse(1)));
                yield Optional.empty();
            }
            case Input.Left _, Input.Pasted _ -> Optional.empty();
        };
    }

    private Optional<Desk> act(Action action) {
        menu = OptionalInt.empty();
        switch (action) {
            case Action.Plain plain -> controls.act(plain, state());
            case Action.Show show -> controls.show(show);
            case Action.Colors(var colormap) -> controls.color(colormap);
            case Action.Walk walk -> controls.walk(walk);
            case Desk.EDIT_PROMPT -> dialog = Optional.of(new PromptDialog(prompt, measure, clipboard));
            case Desk desk -> {
                return Optional.of(desk);
            }
        }
        return Optional.empty();
    }

    private Optional<Desk> press(Input.ButtonDown button, ScreenLayout layout) {
        MenuBar.Place place = bar(layout).at(button.x(), button.y());
        switch (place) {
            case MenuBar.Place.Title(int title) ->
                    menu = menu.equals(OptionalInt.of(title)) ? OptionalInt.empty() : OptionalInt.of(title);
            case MenuBar.Place.Item(int of, int item) -> {
                return act(menus().action(of, item));
            }
            case MenuBar.Place.Elsewhere _ -> {
                boolean closes = menu.isPresent();
                menu = OptionalInt.empty();
                if (!closes) {
                    down = Optional.of(new Mouse(button.x(), button.y()));
                    dragged = button.clicks() > 1;
                }
                if (button.clicks() > 1) {
                    controls.doubleClick(button.x(), button.y(), layout);
                }
            }
        }
        return Optional.empty();
    }

    private void release(double x, double y, Picker picker) {
        if (down.isPresent() && !dragged) {
            controls.click(picker.at(view(), x, y));
        }
        down = Optional.empty();
        dragging = Optional.empty();
    }

    private void move(double x, double y, ScreenLayout layout) {
        if (menu.isPresent() && bar(layout).at(x, y) instanceof MenuBar.Place.Title(int title)) {
            menu = OptionalInt.of(title);
        }
        if (down.isPresent()) {
            Mouse from = down.get();
            dragged |= Math.hypot(x - from.x(), y - from.y()) > CLICK_DISTANCE * layout.scale();
            Mouse before = dragging.orElse(from);
            if (dragged) {
                controls.drag(from.x(), from.y(), x - before.x(), y - before.y(), layout);
            }
        }
        dragging = down.map(_ -> new Mouse(x, y));
    }

    private void write(PromptDialog open, Input input, ScreenLayout layout) {
        switch (open.on(input, layout)) {
            case OPEN -> { }
            case CANCELLED -> dialog = Optional.empty();
            case STARTED -> {
                prompt = open.text();
                dialog = Optional.empty();
                commands.accept(new Command.Restart(prompt));
            }
        }
    }
}
