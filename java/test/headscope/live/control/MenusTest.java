package headscope.live.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.live.ViewState;
import headscope.live.screen.KeyHelp;
import headscope.live.screen.Menu;
import headscope.render.window.Input;
import headscope.result.frame.Command;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys, menus and the list of keys agree. */
final class MenusTest {
    private static final FrameSource SOURCE = new FrameSource(
            "model", "device", 4, 6, true, List.of(new MeasuredMetric("entropy", "nats"), new MeasuredMetric("sink_share", "")),
            64, "maximum", 8);

    /** Keys that type no character, as menus name them. */
    private static final Map<String, Input.Key> PRESSED = Map.of(
            "left", Input.Key.LEFT, "right", Input.Key.RIGHT, "up", Input.Key.UP, "down", Input.Key.DOWN,
            "PageUp", Input.Key.PAGE_UP, "PageDown", Input.Key.PAGE_DOWN, "Home", Input.Key.HOME, "End", Input.Key.END,
            "Esc", Input.Key.ESCAPE);

    private static Menus menus(FrameSource source, ViewState view) {
        return Menus.of(view, source, State.RUNNING, false);
    }

    private static Optional<Action> key(String name) {
        return PRESSED.containsKey(name) ? Keys.pressed(PRESSED.get(name))
                : Keys.typed(name.equals("space") ? ' ' : Character.toLowerCase(name.codePointAt(0)));
    }

    private static Set<String> inMenus() {
        return Stream.of(SOURCE, SOURCE.asRecorded())
                .flatMap(source -> menus(source, ViewState.of("entropy")).shown().stream())
                .flatMap(menu -> menu.items().stream().map(Menu.Item::key))
                .filter(key -> !key.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void theListOfKeysNamesThoseOfTheMenusAndNoOthers() {
        List<String> listed = KeyHelp.ALL.stream().flatMap(help -> help.keys().stream()).toList();
        assertEquals(inMenus(), new TreeSet<>(listed));
        assertEquals(listed.size(), Set.copyOf(listed).size(), "each once: " + listed);
    }

    /** Shift with a letter goes back where the letter goes on. */
    @Test
    void everyKeyIsInAMenu() {
        Stream<String> typed = IntStream.range(' ', 0x7f).filter(key -> !Character.isUpperCase(key))
                .filter(key -> Keys.typed(key).isPresent())
                .mapToObj(key -> key == ' ' ? "space" : Character.toString(Character.toUpperCase(key)));
        Stream<String> pressed = PRESSED.keySet().stream();
        assertEquals(inMenus(), Stream.concat(typed, pressed).collect(Collectors.toCollection(TreeSet::new)));
        for (Input.Key key : Input.Key.values()) {
            assertEquals(PRESSED.containsValue(key), Keys.pressed(key).isPresent(), key.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "m", "mm", "c", "lsdt"})
    void anEntryDoesWhatItsKeyDoes(String before) {
        int compared = 0;
        for (FrameSource source : List.of(SOURCE, SOURCE.asRecorded())) {
            List<Menu> shown = menus(source, ViewState.of("entropy")).shown();
            for (int menu = 0; menu < shown.size(); menu++) {
                for (int item = 0; item < shown.get(menu).items().size(); item++) {
                    Session byKey = new Session(before);
                    Session byMenu = new Session(before);
                    Menus menus = menus(source, byMenu.controls.view());
                    String key = menus.shown().get(menu).items().get(item).key();
                    Action action = menus.action(menu, item);
                    if (!key.isEmpty()) {
                        assertEquals(byMenu.does(action), byKey.does(key(key).orElseThrow()), key);
                        compared++;
                    }
                }
            }
        }
        assertTrue(compared >= 40, compared + " keys");
    }

    @Test
    void aRecordingIsPlayedAndAModelAsked() {
        List<String> model = menus(SOURCE, ViewState.of("entropy")).shown().stream().map(Menu::title).toList();
        List<String> recording = menus(SOURCE.asRecorded(), ViewState.of("entropy")).shown().stream().map(Menu::title).toList();
        assertEquals(List.of("Run", "Metric", "Colours", "Move", "View"), model);
        assertEquals(List.of("Run", "Recording", "Metric", "Colours", "Move", "View"), recording);
    }

    /** One user's view and commands. */
    private static final class Session {
        final List<Command> sent = new ArrayList<>();
        final Controls controls = new Controls(SOURCE, ViewState.of("entropy"), sent::add);

        Session(String typed) {
            typed.codePoints().forEach(key -> does(Keys.typed(key).orElseThrow()));
        }

        /** What the action changes; what Controls do not carry out stands for itself. */
        List<Object> does(Action action) {
            switch (action) {
                case Action.Plain plain -> controls.act(plain, State.RUNNING);
                case Action.Show show -> controls.show(show);
                case Action.Colors(var colormap) -> controls.color(colormap);
                case Action.Walk walk -> controls.walk(walk);
                case Action.Desk _, Action.Scroll _, Action.Zoom _ -> sent.clear();
            }
            boolean elsewhere = action instanceof Action.Desk || action instanceof Action.Scroll;
            return List.of(controls.view(), List.copyOf(sent), elsewhere ? action : "");
        }
    }
}
