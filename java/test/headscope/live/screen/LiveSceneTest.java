package headscope.live.screen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.figure.Colormap;
import headscope.live.Camera;
import headscope.live.LiveText;
import headscope.live.SourceStatus;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.screen.OffscreenScreen;
import headscope.render.screen.Scene;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LiveSceneTest {
    private static OffscreenScreen screen;

    @BeforeAll
    static void open() {
        screen = OffscreenScreen.open(); // measures text
    }

    @AfterAll
    static void close() {
        screen.close();
    }

    private static ViewState state(Mode mode, OptionalInt token, boolean column, Camera grid, Camera map, boolean log) {
        return new ViewState(mode, "entropy", Colormap.magma(), log, true, 0, 0, token, column, OptionalInt.empty(), grid, map, true, false);
    }

    private static ViewState state(Mode mode) {
        return state(mode, OptionalInt.empty(), false, Camera.WHOLE, Camera.WHOLE, false);
    }

    /** A text may begin with a message: that a model failed, or that its beginning was missed. */
    @Test
    void aMessageIsShownBeforeTheFirstToken() {
        LiveText text = new LiveText(SampleScreens.made(2, 3, 5, 3).source());
        text.add(new Frame(0, State.READING, "waiting for the next text", 0, 0, List.of(), 0, Map.of(), 1, List.of(),
                Optional.empty(), Double.NaN, 0, 0));
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        LiveScene scene = new LiveScene(text, screen.measure());
        for (Mode mode : Mode.values()) {
            List<String> words = scene.of(state(mode), ScreenStatus.NONE, layout).parts().stream()
                    .filter(part -> part instanceof Scene.Texts)
                    .flatMap(part -> ((Scene.Texts) part).labels().stream())
                    .map(Label::text)
                    .toList();
            assertTrue(words.contains("waiting for the next text"), words.toString());
            assertEquals(new Pick.Nothing(), scene.pick(state(mode), layout, 100, 100));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 1280, 800, 1", "12, 12, 41, 1280, 800, 1", "12, 12, 300, 2560, 1600, 2", "32, 32, 41, 1280, 800, 1",
        "80, 64, 10, 1280, 800, 1", "12, 12, 1500, 1920, 1080, 1", "1, 64, 20, 1280, 800, 1", "48, 4, 20, 1920, 1080, 1.25",
        "12, 12, 41, 900, 560, 1"})
    void labelsDoNotOverlapAndStayOnTheScreen(int layers, int heads, int tokens, int width, int height, double scale) {
        LiveText text = SampleScreens.made(layers, heads, tokens, 3);
        ScreenLayout layout = ScreenLayout.of(width, height, scale, text.source());
        LiveScene scene = new LiveScene(text, screen.measure());
        for (ViewState state : List.of(
                state(Mode.MAPS), state(Mode.METRIC),
                state(Mode.MAPS, OptionalInt.of(tokens / 2), true, new Camera(0.3, 0.4, 3), new Camera(0.52, 0.6, 5), true))) {
            List<Label> labels = scene.of(state, ScreenStatus.NONE, layout).parts().stream()
                    .filter(part -> part instanceof Scene.Texts)
                    .flatMap(part -> ((Scene.Texts) part).labels().stream())
                    .toList();
            Box whole = new Box(0, 0, width, height);
            for (int i = 0; i < labels.size(); i++) {
                assertTrue(whole.contains(labels.get(i).box()), labels.get(i) + " is cut off");
                for (int j = 0; j < i; j++) {
                    assertTrue(!labels.get(i).box().overlaps(labels.get(j).box()),
                            "%s overlaps %s".formatted(labels.get(i), labels.get(j)));
                }
            }
        }
    }

    @Test
    void picksWhatIsDrawnThere() {
        LiveText text = SampleScreens.made(12, 12, 100, 3); // two tokens a cell
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        LiveScene scene = new LiveScene(text, screen.measure());
        ViewState state = state(Mode.MAPS);
        GridGeometry grid = layout.grid(text.source(), Camera.WHOLE);
        double side = grid.pitch() - grid.gap();
        assertEquals(new Pick.Head(3, 5, 51, 0), scene.pick(state, layout, grid.left(5) + 0.2, grid.top(3) + side - 0.2));
        assertEquals(new Pick.Head(3, 5, 0, 0),
                scene.pick(state(Mode.METRIC), layout, grid.left(5) + 0.2, grid.top(3) + side - 0.2));
        ViewState row = state(Mode.MAPS, OptionalInt.of(9), false, Camera.WHOLE, Camera.WHOLE, false);
        assertEquals(new Pick.Head(3, 5, 4, 0), scene.pick(row, layout, grid.left(5) + 0.2, grid.top(3) + side - 0.2));
        GridGeometry map = layout.map(103, Camera.WHOLE);
        assertEquals(new Pick.MapCell(102, 7), scene.pick(state, layout, map.left(7.5), map.top(102.5)));
        assertEquals(new Pick.Nothing(), scene.pick(state, layout, 2, 2));
        Label newest = texts(scene.of(state, ScreenStatus.NONE, layout)).stream()
                .filter(label -> layout.text().contains(label.box()))
                .toList().getLast();
        assertEquals(new Pick.Token(102), scene.pick(state, layout, newest.x() + 1, newest.y() - 2));
    }

    private static OptionalInt moved(TextScroll scroll, ScreenLayout layout, OptionalInt top, TextMove... moves) {
        OptionalInt now = top;
        for (TextMove move : moves) {
            now = scroll.moved(ViewState.of("entropy").withTextTop(now), layout, move);
        }
        return now;
    }

    @Test
    void theTextScrollsAndItsEndIsFollowedOnlyFromTheEnd() {
        SampleFrames frames = new SampleFrames(1, 1, 1);
        LiveText text = new LiveText(frames.source());
        text.add(frames.whole(300, 0, 0));
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        LiveScene scene = new LiveScene(text, screen.measure());
        TextScroll scroll = new TextScroll(text, screen.measure());
        OptionalInt end = OptionalInt.empty();
        assertEquals(end, moved(scroll, layout, end, TextMove.PAGE_DOWN));
        assertEquals(OptionalInt.of(0), moved(scroll, layout, end, TextMove.START));
        assertEquals(end, moved(scroll, layout, end, TextMove.START, TextMove.END));
        assertEquals(end, moved(scroll, layout, end, new TextMove(-3, 0), new TextMove(3, 0)));
        OptionalInt page = moved(scroll, layout, end, TextMove.PAGE_UP);
        assertEquals(page, moved(scroll, layout, end, TextMove.PAGE_UP, TextMove.PAGE_UP, TextMove.PAGE_DOWN));
        assertTrue(page.getAsInt() > 0 && page.getAsInt() < 299);

        assertEquals(text.tokens().getLast().name(), inText(scene, layout, end).getLast().text());
        String shown = words(scene, layout, page);
        text.add(frames.next(1, 300, 0, 0));
        assertEquals(shown, words(scene, layout, page));
    }

    private static List<Label> inText(LiveScene scene, ScreenLayout layout, OptionalInt top) {
        Scene shown = scene.of(ViewState.of("entropy").withTextTop(top), ScreenStatus.NONE, layout);
        return texts(shown).stream().filter(label -> layout.text().contains(label.box())).toList();
    }

    private static String words(LiveScene scene, ScreenLayout layout, OptionalInt top) {
        return inText(scene, layout, top).stream().skip(1).map(Label::text).toList().toString();
    }

    @Test
    void theBarOfALongTextIsPickedFromItsBeginningToItsEnd() {
        LiveText text = SampleScreens.pooled(2, 2, 10_000);
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        LiveScene scene = new LiveScene(text, screen.measure());
        ViewState state = state(Mode.MAPS);
        double x = layout.text().right() - 8;
        assertEquals(new Pick.TextBar(OptionalInt.of(0)), scene.pick(state, layout, x, layout.text().y() + 35));
        assertEquals(new Pick.TextBar(OptionalInt.empty()), scene.pick(state, layout, x, layout.text().bottom() - 8));
        Pick.TextBar middle = (Pick.TextBar) scene.pick(state, layout, x, layout.text().y() + (layout.text().height() + 28) / 2.0);
        assertEquals(5000, middle.top().getAsInt(), 1000);
        assertEquals(new Pick.Nothing(), scene.pick(state, layout, x, layout.text().y() + 5));
    }

    @Test
    void theStatusNamesTheDeviceAndWhatACellIs() {
        LiveText text = SampleScreens.pooled(80, 64, 131_072);
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        LiveScene scene = new LiveScene(text, screen.measure());
        List<Label> all = texts(scene.of(state(Mode.MAPS), ScreenStatus.NONE, layout));
        List<String> status = all.stream().filter(label -> layout.status().contains(label.box())).map(Label::text).toList();
        assertEquals(List.of("running", "token 131,072 of at most 131,200", "412 tokens/s", "3 frames dropped",
                "cells: maximum of 2048 x 2048 tokens", "memory 640 MiB", "made-up numbers", "up to 16 x 16 cells a pixel"), status);
        assertTrue(all.stream().anyMatch(label -> label.text().equals("the grid's cells: maximum of 2048 x 2048 tokens")));
    }

    @Test
    void theStatusNamesTheLongestTextThatTheModelAllows() {
        FrameSource made = new SampleFrames(1, 1, 1).source(); // 128 new tokens
        FrameSource limited = new FrameSource(made.model(), made.device(), 1, 1, true, made.metrics(), made.side(),
                made.pooling(), made.maxNewTokens(), 150, false);
        for (int[] expected : new int[][] {{20, 148}, {30, 150}}) {
            LiveText text = new LiveText(limited);
            text.add(new SampleFrames(1, 1, 1).whole(expected[0], 0, 0));
            LiveScene scene = new LiveScene(text, screen.measure());
            String shown = "token %d of at most %d".formatted(expected[0], expected[1]);
            assertTrue(texts(scene.of(state(Mode.MAPS), ScreenStatus.NONE, ScreenLayout.of(1280, 800, 1, limited))).stream()
                    .anyMatch(label -> label.text().equals(shown)), shown);
        }
    }

    @Test
    void tellsWhatLiesUnderTheMouse() {
        LiveText text = SampleScreens.made(2, 2, 100, 0);
        ViewState state = state(Mode.MAPS);
        assertEquals(List.of("layer 1, head 1", "\"of\" (9) attends to \"the\" (7)",
                        "probability " + Wording.number(text.map()[9 * 100 + 7])),
                TooltipPart.lines(text, state, new Pick.MapCell(9, 7)));
        assertEquals(List.of("layer 0, head 1", "tokens 8-9 attend to tokens 6-7",
                        "maximum probability " + Wording.number(text.atlas()[(64 + 4) * 64 + 3])),
                TooltipPart.lines(text, state, new Pick.Head(0, 1, 4, 3)));
        assertEquals(List.of("layer 0, head 1", "entropy " + Wording.number(text.metric("entropy").orElseThrow()[1])),
                TooltipPart.lines(text, state(Mode.METRIC), new Pick.Head(0, 1, 0, 0)));
        assertEquals(List.of("token 17: constantinople"), TooltipPart.lines(text, state, new Pick.Token(17)));
    }

    @Test
    void showsWhyAModelFailed() {
        LiveText text = SampleScreens.made(2, 2, 5, 0);
        Frame last = text.frame().orElseThrow();
        text.add(new Frame(0, State.FAILED, "out of memory: 3.1 GiB needed, 2.0 GiB free", last.step(), last.end(), List.of(),
                2, Map.of(), 1, List.of(), Optional.empty(), Double.NaN, 0, 0));
        LiveScene scene = new LiveScene(text, screen.measure());
        Label message = texts(scene.of(state(Mode.MAPS), ScreenStatus.NONE,
                        ScreenLayout.of(1280, 800, 1, text.source()))).stream()
                .filter(label -> label.text().startsWith("out of memory"))
                .findFirst()
                .orElseThrow();
        assertEquals(Theme.DARK.bad(), message.rgb());
    }

    @Test
    void theStatusNamesWhatAnotherProcessHasNotHandedOver() {
        LiveText text = SampleScreens.made(2, 2, 5, 0);
        LiveScene scene = new LiveScene(text, screen.measure());
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        ScreenStatus status = new ScreenStatus(
                Double.NaN, Optional.empty(), "", new SourceStatus(OptionalDouble.empty(), 1, 1200));
        List<String> shown = texts(scene.of(state(Mode.MAPS), status, layout)).stream().map(Label::text).toList();
        assertTrue(shown.containsAll(List.of("1 pass skipped", "1,200 messages lost")), shown.toString());
        assertTrue(texts(scene.of(state(Mode.MAPS), ScreenStatus.NONE, layout)).stream()
                .noneMatch(label -> label.text().contains("skipped") || label.text().contains("lost")));
    }

    @Test
    void aTextWithoutFramesIsWaitedFor() {
        LiveText text = new LiveText(new SampleFrames(2, 2, 1).source());
        LiveScene scene = new LiveScene(text, screen.measure());
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, text.source());
        for (Mode mode : Mode.values()) {
            assertTrue(texts(scene.of(state(mode), ScreenStatus.NONE, layout)).stream()
                    .anyMatch(label -> label.text().equals("waiting for the first token")));
        }
        assertEquals(new Pick.Nothing(), scene.pick(state(Mode.MAPS), layout, 300, 300));
    }

    private static List<Label> texts(Scene scene) {
        return scene.parts().stream()
                .filter(part -> part instanceof Scene.Texts)
                .flatMap(part -> ((Scene.Texts) part).labels().stream())
                .toList();
    }
}
