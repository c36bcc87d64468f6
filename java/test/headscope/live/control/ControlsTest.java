package headscope.live.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.figure.Colormap;
import headscope.live.Camera;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.live.control.Action.Plain;
import headscope.live.screen.Pick;
import headscope.live.screen.ScreenLayout;
import headscope.render.Box;
import headscope.render.window.Input;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Command;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class ControlsTest {
    private static final FrameSource SOURCE = new FrameSource(
            "model", "device", 4, 6, true, List.of(new MeasuredMetric("entropy", "nats"), new MeasuredMetric("sink_share", "")),
            64, "maximum", 8);
    private static final ScreenLayout LAYOUT = ScreenLayout.of(1280, 800, 1, SOURCE);

    private final List<Command> sent = new ArrayList<>();
    private final Controls controls = new Controls(SOURCE, ViewState.of("entropy"), sent::add);

    private void type(String characters) {
        characters.codePoints().forEach(character ->
                controls.act((Plain) Keys.typed(character).orElseThrow(), State.RUNNING));
    }

    private void press(Input.Key key) {
        switch (Keys.pressed(key).orElseThrow()) {
            case Action.Walk walk -> controls.walk(walk);
            case Plain plain -> controls.act(plain, State.RUNNING);
            default -> throw new AssertionError(key);
        }
    }

    @Test
    void keysTellTheModelToPauseGoOnAndStep() {
        type(" .");
        controls.act(Plain.PAUSE, State.PAUSED);
        assertEquals(List.of(new Command.Pause(), new Command.Step(), new Command.Resume()), sent);
    }

    @Test
    void keyMShowsMapsThenEachMetricAndShiftGoesBack() {
        List<Object> seen = new ArrayList<>();
        for (String key : List.of("m", "m", "m", "M")) {
            type(key);
            seen.add(controls.view().mode() == Mode.MAPS ? Mode.MAPS : controls.view().metric());
        }
        assertEquals(List.of("entropy", "sink_share", Mode.MAPS, "sink_share"), seen);
    }

    @Test
    void keyCShowsEveryColourMapAndReturns() {
        Colormap first = controls.view().colormap();
        for (int i = 0; i < Colormap.all().size(); i++) {
            type("c");
            assertEquals(i == Colormap.all().size() - 1, controls.view().colormap().equals(first));
        }
        type("cC");
        assertEquals(first, controls.view().colormap());
    }

    @Test
    void keysSwitchTheLook() {
        type("lsdhL");
        assertFalse(controls.view().log());
        assertFalse(controls.view().firstToken());
        assertFalse(controls.view().dark());
        assertTrue(controls.view().help());
        press(Input.Key.ESCAPE);
        assertFalse(controls.view().help());
    }

    @Test
    void arrowsWalkOverHeadsAndStopAtTheEdges() {
        for (Input.Key key : List.of(
                Input.Key.LEFT, Input.Key.UP, Input.Key.DOWN, Input.Key.RIGHT, Input.Key.RIGHT, Input.Key.LEFT)) {
            press(key);
        }
        assertEquals(List.of(
                new Command.Pick(1, 0), new Command.Pick(1, 1), new Command.Pick(1, 2), new Command.Pick(1, 1)), sent);
        assertEquals(1, controls.view().layer());
        assertEquals(1, controls.view().head());
    }

    @Test
    void aClickChoosesAHeadOnce() {
        controls.click(new Pick.Head(3, 5, 7, 2));
        controls.click(new Pick.Head(3, 5, 0, 0));
        controls.click(new Pick.Nothing());
        assertEquals(List.of(new Command.Pick(3, 5)), sent);
    }

    @Test
    void clicksOnATokenShowWhatItPaysThenWhatItGetsThenNothing() {
        controls.click(new Pick.Token(9));
        assertEquals(OptionalInt.of(9), controls.view().token());
        assertFalse(controls.view().column());
        controls.click(new Pick.Token(9));
        assertTrue(controls.view().column());
        controls.click(new Pick.Token(9));
        assertEquals(OptionalInt.empty(), controls.view().token());
        controls.click(new Pick.Token(4));
        type("t");
        assertTrue(controls.view().column());
        press(Input.Key.ESCAPE);
        assertEquals(OptionalInt.empty(), controls.view().token());
        assertEquals(List.of(), sent);
    }

    @Test
    void theViewFollowsAnotherViewersChoiceUnlessItsOwnIsPending() {
        controls.follow(2, 2);
        assertEquals(2, controls.view().layer());
        controls.click(new Pick.Head(0, 1, 0, 0));
        controls.follow(2, 2); // a frame from before the choice
        assertEquals(0, controls.view().layer());
        controls.follow(0, 1);
        controls.follow(3, 3);
        assertEquals(3, controls.view().head());
    }

    @Test
    void theWheelZoomsAboutThePointerDownToSingleTokens() {
        Box map = LAYOUT.map();
        double x = map.x() + 0.75 * map.width();
        double y = map.y() + 0.5 * map.height();
        controls.zoom(2, x, y, LAYOUT, 100, 100);
        Camera camera = controls.view().map();
        assertEquals(1.25 * 1.25, camera.zoom(), 1e-9);
        assertEquals(0.75, camera.x() + 0.75 / camera.zoom(), 1e-9);
        assertEquals(0.5, camera.y() + 0.5 / camera.zoom(), 1e-9);
        assertEquals(Camera.WHOLE, controls.view().grid());
        controls.zoom(100, x, y, LAYOUT, 100, 100);
        double cell = map.width() * controls.view().map().zoom() / 100;
        assertTrue(cell >= 40 && cell <= 60, "a cell of %s pixels".formatted(cell));
        controls.zoom(-200, x, y, LAYOUT, 100, 100);
        assertEquals(Camera.WHOLE, controls.view().map());
    }

    @Test
    void draggingMovesWhatTheButtonWentDownOnAndADoubleClickShowsEverything() {
        Box grid = LAYOUT.grid();
        double x = grid.x() + 0.5 * grid.width();
        double y = grid.y() + 0.5 * grid.height();
        controls.zoom(4, x, y, LAYOUT, 64, 64);
        Camera before = controls.view().grid();
        controls.drag(x, y, 0.1 * grid.width(), -0.1 * grid.height(), LAYOUT);
        assertEquals(before.x() - 0.1 / before.zoom(), controls.view().grid().x(), 1e-9);
        assertEquals(before.y() + 0.1 / before.zoom(), controls.view().grid().y(), 1e-9);
        controls.doubleClick(x, y, LAYOUT);
        assertEquals(Camera.WHOLE, controls.view().grid());
    }

    @Test
    void walkingKeepsTheHeadInSight() {
        controls.zoom(new Action.Zoom(false, 6), LAYOUT, 64, 64); // shows a part around layer 0, head 0
        assertTrue(controls.view().grid().zoom() > 3);
        for (int i = 0; i < 5; i++) {
            press(Input.Key.RIGHT);
        }
        Camera grid = controls.view().grid();
        assertEquals(5, controls.view().head());
        assertTrue(grid.x() <= 5.0 / 6 && grid.x() + 1 / grid.zoom() >= 1 - 1e-9, grid.toString());
        assertEquals(0, grid.y(), 1e-9);
    }

    @Test
    void aZoomedMapStaysOnItsTokensWhileTheTextGrows() {
        controls.follow(chosen(40));
        controls.zoom(6, LAYOUT.map().x() + 1, LAYOUT.map().y() + 1, LAYOUT, 64, 40);
        Camera before = controls.view().map();
        controls.follow(chosen(50));
        Camera after = controls.view().map();
        assertEquals(before.zoom() / 40, after.zoom() / 50, 1e-9); // pixels of a token
        assertEquals(40 * before.x(), 50 * after.x(), 1e-9);
        controls.begin();
        assertEquals(Camera.WHOLE, controls.view().map());
    }

    private static ChosenHead chosen(int tokens) {
        return new ChosenHead(0, 0, 1, 0, tokens, new float[tokens * tokens], new float[0], tokens);
    }
}
