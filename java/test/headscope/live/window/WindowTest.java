package headscope.live.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.OverflowingModel;
import headscope.live.Camera;
import headscope.live.ViewState;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus.Mouse;
import headscope.render.Box;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame.State;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command {@code live} with its window on a virtual display: a user presses keys and moves the mouse. */
final class WindowTest {
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is cedar . the capital of boria is";

    /** More lines than the panel has. */
    private static final String LONG_PROMPT = "the capital of boria is birch . ".repeat(15).strip();

    private static final ViewState VIEW = ViewState.of("attention_score");

    @TempDir
    Path folder;

    private WindowSession session(int scale, String model, String prompt) throws IOException, InterruptedException {
        // A token every two seconds: the text goes on as long as the test takes.
        return WindowSession.start(
                folder, scale, "live", "--model", model, "--prompt", prompt, "--rate", "0.5", "--device", "cpu",
                "--pictures", folder.resolve("out").toString());
    }

    @Test
    void keysAndMouseReachTheModel() throws IOException, InterruptedException {
        try (WindowSession user = session(1, "models/demo", PROMPT)) {
            user.record();
            user.pause();
            int tokens = user.newest().end();
            user.key("period");
            user.await("step", () -> user.newest().end() == tokens + 1 && user.newest().state() == State.PAUSED);

            user.moveMouse(user.head(7, 4));
            user.display.xdotool("click", "1");
            user.await("chosen head", () -> user.newest().chosen().map(WindowTest::place).equals(Optional.of("7, 4")));
            user.key("Right");
            user.await("next head", () -> user.newest().chosen().map(WindowTest::place).equals(Optional.of("7, 5")));
            assertEquals(tokens + 1, user.newest().end(), "tokens come while the model is paused");
            user.key("space");
            user.await("next token", () -> user.newest().end() > tokens + 1);

            user.key("e");
            user.display.xdotool("type", "the capital");
            user.key("Return");
            user.await("another text", () -> user.newest().text() == 1 && user.newest().state() == State.RUNNING);
            assertEquals(0, user.frames().stream().filter(frame -> frame.text() == 1).findFirst().orElseThrow().firstToken());

            user.key("q");
            user.assertEnds(0);
        }
    }

    private static String place(ChosenHead chosen) {
        return chosen.layer() + ", " + chosen.head();
    }

    /** Moves the mouse to layer 7, head 4 and chooses that. @return where the mouse is */
    private static Mouse choose(WindowSession user) throws IOException, InterruptedException {
        user.record();
        user.pause();
        Mouse at = user.head(7, 4);
        user.moveMouse(at);
        user.awaitView("tooltip", VIEW, at);
        user.display.xdotool("click", "1");
        user.await("chosen head", () -> user.newest().chosen().map(WindowTest::place).equals(Optional.of("7, 4")));
        user.awaitView("chosen head", VIEW.withHead(7, 4), at);
        return at;
    }

    @Test
    void aDisplayOfHighDensityShowsTheSameTwiceAsLarge() throws IOException, InterruptedException {
        try (WindowSession user = session(2, "models/demo", PROMPT)) {
            choose(user);
        }
    }

    @Test
    void theMouseZoomsMovesAndTells() throws IOException, InterruptedException {
        try (WindowSession user = session(1, "models/demo", PROMPT)) {
            Mouse at = choose(user);
            ViewState chosen = VIEW.withHead(7, 4);
            ScreenLayout layout = user.layout();
            user.wheel(3);
            Camera zoomed = zoomed(layout.grid(), at, 3);
            user.awaitView("larger heads", chosen.withGrid(zoomed), at);
            Mouse to = new Mouse(at.x() - 60, at.y() - 40);
            user.whileBusy(() -> {
                user.display.xdotool("mousedown", "1");
                user.moveMouse(to);
                user.display.xdotool("mouseup", "1");
            });
            Camera moved = zoomed.dragged(-60.0 / layout.grid().width(), -40.0 / layout.grid().height());
            user.awaitView("moved heads", chosen.withGrid(moved), to);

            Box map = layout.map();
            Mouse inMap = new Mouse(map.x() + map.width() / 4, map.y() + map.height() / 2);
            user.moveMouse(inMap);
            user.wheel(3); // a fourth step would make cells larger than they can be, if few tokens have come
            ViewState both = chosen.withGrid(moved).withMap(zoomed(map, inMap, 3));
            user.awaitView("larger map", both, inMap);
            user.wheel(-2);
            user.awaitView("smaller map", chosen.withGrid(moved).withMap(zoomed(map, inMap, 1)), inMap);
            user.display.xdotool("click", "--repeat", "2", "--delay", "20", "1");
            user.awaitView("whole map", chosen.withGrid(moved), inMap);
            user.key("0");
            user.awaitView("everything", chosen, inMap);
        }
    }

    private static Camera zoomed(Box area, Mouse at, int steps) {
        return Camera.WHOLE.zoomed(
                Math.pow(1.25, steps), (at.x() - area.x()) / area.width(), (at.y() - area.y()) / area.height(), 100);
    }

    @Test
    void theTextScrollsAndKeysChangeTheLook() throws IOException, InterruptedException {
        try (WindowSession user = session(1, "models/demo", LONG_PROMPT)) {
            user.record();
            user.pause();
            Box panel = user.layout().text();
            Mouse at = new Mouse(panel.x() + 200, panel.y() + 4); // over its title
            user.moveMouse(at);
            user.awaitView("end of the text", VIEW, at);
            user.wheel(1);
            user.awaitView("beginning by the wheel", VIEW.withTextTop(OptionalInt.of(0)), at);
            user.key("End");
            user.awaitView("end of the text", VIEW, at);
            user.key("Home");
            user.awaitView("beginning of the text", VIEW.withTextTop(OptionalInt.of(0)), at);
            int tokens = user.newest().end();
            user.key("period"); // a new token does not scroll back to the end
            user.await("step", () -> user.newest().end() == tokens + 1);
            user.awaitView("beginning of the text", VIEW.withTextTop(OptionalInt.of(0)), at);
            user.key("Next", "d", "l", "s");
            user.awaitView("light", VIEW.withDark(false).withLog(true).withFirstToken(false), at);
        }
    }

    @Test
    void aModelThatFailsSaysWhyInTheWindowAndOnTheTerminal() throws IOException, InterruptedException {
        Path model = folder.resolve("model");
        OverflowingModel.write(model);
        try (WindowSession user = session(1, model.toString(), PROMPT)) {
            user.window();
            Box status = user.layout().status();
            user.await("red line", () -> row(user, status).contains(0xFFFF7B72));
            user.key("q");
            user.assertEnds(2);
            List<String> lines = user.errors().lines().filter(line -> line.startsWith("headscope:")).toList();
            assertEquals(1, lines.size(), user::errors);
            assertTrue(lines.getFirst().contains("attention of layer 0, head 0 is not finite; the model overflows in f32"), lines.getFirst());
        }
    }

    /** Colours of the middle of a line of text. */
    private static List<Integer> row(WindowSession user, Box box) throws IOException {
        int width = user.display.image().width();
        int start = (box.y() + box.height() / 2) * width;
        return Arrays.stream(user.display.image().argb(), start, start + width).boxed().toList();
    }

    @Test
    void closingTheWindowEndsTheModel() throws IOException, InterruptedException {
        try (WindowSession user = session(1, "models/demo", PROMPT)) {
            user.display.close(user.window());
            user.assertEnds(0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"}) // Ctrl-C, and kill
    void aSignalEndsTheModel(String signal) throws IOException, InterruptedException {
        try (WindowSession user = session(1, "models/demo", PROMPT)) {
            user.window();
            user.signal(signal);
            user.assertEnds(0);
        }
    }
}
