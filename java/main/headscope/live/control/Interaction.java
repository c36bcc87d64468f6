package headscope.live.control;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.control.Action.Desk;
import headscope.live.screen.MenuBar;
import headscope.live.screen.Pick;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus.Mouse;
import headscope.live.screen.TextMove;
import headscope.live.screen.TextScroll;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import headscope.render.window.Input;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
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
    private final TextScroll scroll;
    private final TextMeasure measure;
    private final Consumer<String> clipboard;
    private int number; // of the text
    private String prompt;
    private Optional<PromptDialog> dialog = Optional.empty();
    private OptionalInt menu = OptionalInt.empty();
    private Optional<Mouse> mouse = Optional.empty();
    private Optional<Mouse> down = Optional.empty(); // where the button went down
    private Optional<Mouse> dragging = Optional.empty(); // where the mouse was last while it is down
    private boolean dragged;
    private OptionalDouble held = OptionalDouble.empty(); // x of the button that holds the bar of the text
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
        this.scroll = new TextScroll(text, measure);
        this.measure = measure;
        this.clipboard = clipboard;
    }

    public ViewState view() {
        return controls.view();
    }

    /** Where the mouse points to the screen, unless a menu or the prompt lies over it. */
    public Optional<Mouse> pointer(ScreenLayout layout) {
        boolean covered = dialog.isPresent() || menu.isPresent() || held.isPresent() || down.isPresent() && dragged
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
        int current = text.frame().map(Frame::text).orElse(number);
        if (current != number) {
            number = current;
            if (!text.source().recorded()) { // in a recording a move begins another text
                controls.begin();
            }
        }
        controls.follow(chosen);
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
            case Input.Typed(int codePoint) -> Keys.typed(codePoint).flatMap(action -> act(action, layout));
            case Input.Pressed(Input.Key key, _) -> {
                boolean closes = menu.isPresent() && key == Input.Key.ESCAPE;
                menu = OptionalInt.empty();
                yield closes ? Optional.empty() : Keys.pressed(key).flatMap(action -> act(action, layout));
            }
            case Input.ButtonDown button -> press(button, layout, picker);
            case Input.ButtonUp(double x, double y) -> {
                release(x, y, picker);
                yield Optional.empty();
            }
            case Input.Moved(double x, double y) -> {
                move(x, y, layout, picker);
                yield Optional.empty();
            }
            case Input.Scrolled(double steps, double x, double y) -> {
                turn(steps, x, y, layout);
                yield Optional.empty();
            }
            case Input.Left _, Input.Pasted _ -> Optional.empty();
        };
    }

    /** The wheel turns. */
    private void turn(double steps, double x, double y, ScreenLayout layout) {
        if (layout.text().contains(x, y)) {
            act(new Action.Scroll(new TextMove(controls.lines(steps), 0)), layout);
        } else {
            text.frame().ifPresent(frame -> controls.zoom(steps, x, y, layout, frame.cells(), mapColumns()));
        }
    }

    private int mapColumns() {
        return text.chosen().map(ChosenHead::columns).orElse(1);
    }

    private Optional<Desk> act(Action action, ScreenLayout layout) {
        menu = OptionalInt.empty();
        switch (action) {
            case Action.Plain plain -> controls.act(plain, state());
            case Action.Show show -> controls.show(show);
            case Action.Colors(var colormap) -> controls.color(colormap);
            case Action.Walk walk -> controls.walk(walk);
            case Action.Scroll(var by) -> controls.showText(scroll.moved(view(), layout, by));
            case Action.Zoom zoom -> text.frame().ifPresent(frame -> controls.zoom(zoom, layout, frame.cells(), mapColumns()));
            case Desk.EDIT_PROMPT -> dialog = Optional.of(new PromptDialog(prompt, measure, clipboard));
            case Desk desk -> {
                return Optional.of(desk);
            }
        }
        return Optional.empty();
    }

    private Optional<Desk> press(Input.ButtonDown button, ScreenLayout layout, Picker picker) {
        MenuBar.Place place = bar(layout).at(button.x(), button.y());
        switch (place) {
            case MenuBar.Place.Title(int title) ->
                    menu = menu.equals(OptionalInt.of(title)) ? OptionalInt.empty() : OptionalInt.of(title);
            case MenuBar.Place.Item(int of, int item) -> {
                return act(menus().action(of, item), layout);
            }
            case MenuBar.Place.Elsewhere _ -> {
                boolean closes = menu.isPresent() || view().help();
                menu = OptionalInt.empty();
                controls.closeHelp();
                if (!closes && picker.at(view(), button.x(), button.y()) instanceof Pick.TextBar(OptionalInt top)) {
                    held = OptionalDouble.of(button.x());
                    controls.showText(top);
                } else if (!closes) {
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
        held = OptionalDouble.empty();
        if (down.isPresent() && !dragged) {
            controls.click(picker.at(view(), x, y));
        }
        down = Optional.empty();
        dragging = Optional.empty();
    }

    private void move(double x, double y, ScreenLayout layout, Picker picker) {
        if (menu.isPresent() && bar(layout).at(x, y) instanceof MenuBar.Place.Title(int title)) {
            menu = OptionalInt.of(title);
        }
        if (held.isPresent() && picker.at(view(), held.getAsDouble(), y) instanceof Pick.TextBar(OptionalInt top)) {
            controls.showText(top);
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
