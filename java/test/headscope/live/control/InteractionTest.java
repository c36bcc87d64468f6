package headscope.live.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.live.control.Action.Desk;
import headscope.live.screen.Pick;
import headscope.live.screen.ScreenLayout;
import headscope.render.Box;
import headscope.render.TextMeasure;
import headscope.render.window.Input;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class InteractionTest {
    private static final FrameSource SOURCE = new FrameSource(
            "model", "device", 4, 6, true, List.of(new MeasuredMetric("entropy", "nats")), 64, "maximum", 8);
    private static final ScreenLayout LAYOUT = ScreenLayout.of(1280, 800, 1, SOURCE);

    /** Every character is half as wide as it is high. */
    private static final TextMeasure HALF = new TextMeasure() {
        @Override
        public double width(String text, float size) {
            return text.length() * size / 2;
        }

        @Override
        public double ascent(float size) {
            return 0.8 * size;
        }

        @Override
        public double descent(float size) {
            return 0.2 * size;
        }

        @Override
        public double capHeight(float size) {
            return 0.7 * size;
        }
    };

    private final List<Command> sent = new ArrayList<>();
    private final List<String> copied = new ArrayList<>();
    private final LiveText text = new LiveText(SOURCE);
    private final Interaction interaction = new Interaction(
            text, ViewState.of("entropy"), "once upon a time", sent::add, HALF, copied::add);
    private Pick under = new Pick.Nothing();

    private Optional<Desk> on(Input input) {
        return interaction.on(input, LAYOUT, (_, _, _) -> under);
    }

    private void type(String text) {
        text.codePoints().forEach(character -> on(new Input.Typed(character)));
    }

    private void click(double x, double y) {
        on(new Input.Moved(x, y));
        on(new Input.ButtonDown(x, y, 1));
        on(new Input.ButtonUp(x, y));
    }

    /** The first pixel of the header, from the right, on which a click opens a menu other than the last one opened. */
    private double title(int fromRight) {
        return LAYOUT.width() - 20 - 70.0 * fromRight;
    }

    @Test
    void aPromptIsWrittenAndStarted() {
        on(new Input.Typed('e'));
        type("tell me q");
        on(new Input.Pressed(Input.Key.ENTER, true));
        on(new Input.Pasted("more"));
        on(new Input.Pressed(Input.Key.BACKSPACE, false));
        on(new Input.Pressed(Input.Key.ENTER, false));
        assertEquals(List.of(new Command.Restart("tell me q\nmor")), sent);
        on(new Input.Typed('e'));
        on(new Input.Pressed(Input.Key.COPY, false));
        on(new Input.Pressed(Input.Key.ESCAPE, false));
        assertEquals(List.of("tell me q\nmor"), copied);
        assertEquals(1, sent.size());
    }

    @Test
    void keysAreNotTypedWhileAPromptIsClosed() {
        assertEquals(Optional.of(Desk.QUIT), on(new Input.Typed('q')));
        assertEquals(Optional.of(Desk.PICTURE), on(new Input.Typed('P')));
        assertEquals(Optional.empty(), on(new Input.Typed('z')));
        assertEquals(Optional.empty(), on(new Input.Typed(0x1F600)));
    }

    @Test
    void theCaretMovesBetweenWrappedLinesAndByClicks() {
        on(new Input.Typed('e'));
        type("word ".repeat(60));
        on(new Input.Pressed(Input.Key.UP, false));
        on(new Input.Pressed(Input.Key.HOME, false));
        type("[");
        on(new Input.Pressed(Input.Key.END, false));
        type("]");
        on(new Input.Pressed(Input.Key.ENTER, false));
        String started = ((Command.Restart) sent.getFirst()).prompt();
        int open = started.indexOf('[');
        int close = started.indexOf(']');
        assertTrue(open > 0 && open % 5 == 0 && close > open, started);
        assertEquals(300 + 2, started.length());
    }

    @Test
    void menusOpenByClicksAndTheirEntriesAct() {
        // The titles lie at the right end of the header: some pixel there opens each of them.
        double y = LAYOUT.header().height() / 2.0;
        List<Boolean> dark = new ArrayList<>();
        for (double x = LAYOUT.width() - 20; x > LAYOUT.width() - 50; x -= 10) {
            click(x, y);
            click(x, LAYOUT.header().bottom() + 6 + 3.5 * 25); // the fourth entry of View
            dark.add(interaction.view().dark());
        }
        assertTrue(dark.contains(false), "the last menu switches between dark and light: " + dark);
        assertEquals(List.of(), sent);
        assertEquals(Mode.MAPS, interaction.view().mode());
    }

    @Test
    void aClickBesideAnOpenMenuClosesItAndPicksNothing() {
        under = new Pick.Head(2, 3, 0, 0);
        click(title(0), LAYOUT.header().height() / 2.0);
        click(200, 300);
        assertEquals(List.of(), sent);
        click(200, 300);
        assertEquals(List.of(new Command.Pick(2, 3)), sent);
    }

    @Test
    void aDragIsNoClick() {
        under = new Pick.Head(2, 3, 0, 0);
        on(new Input.ButtonDown(200, 300, 1));
        on(new Input.Moved(220, 300));
        on(new Input.ButtonUp(220, 300));
        assertEquals(List.of(), sent);
        on(new Input.ButtonDown(200, 300, 1));
        on(new Input.Moved(202, 301));
        on(new Input.ButtonUp(202, 301));
        assertEquals(List.of(new Command.Pick(2, 3)), sent);
    }

    private OptionalInt scrolled(double... steps) {
        Box panel = LAYOUT.text();
        for (double by : steps) {
            on(new Input.Scrolled(by, panel.x() + 9, panel.y() + 9));
        }
        return interaction.view().textTop();
    }

    @Test
    void wheelAndKeysScrollTheText() {
        text.add(frame(0, 1000));
        on(new Input.Pressed(Input.Key.HOME, false));
        assertEquals(OptionalInt.of(0), interaction.view().textTop());
        int three = scrolled(-1).getAsInt();
        assertTrue(three > 0 && three % 3 == 0, three + " tokens in three lines");
        assertEquals(OptionalInt.of(three), scrolled(-0.2)); // touchpads give parts of a step
        assertEquals(OptionalInt.of(three + three / 3), scrolled(-0.2));
        on(new Input.Pressed(Input.Key.PAGE_DOWN, false));
        assertTrue(interaction.view().textTop().getAsInt() > three + three / 3);
        on(new Input.Pressed(Input.Key.PAGE_UP, false));
        assertEquals(OptionalInt.of(three + three / 3), interaction.view().textTop());
        on(new Input.Pressed(Input.Key.END, false));
        assertEquals(OptionalInt.empty(), interaction.view().textTop());
        assertEquals(ViewState.of("entropy").grid(), interaction.view().grid());
    }

    @Test
    void theBarOfTheTextIsHeldUntilTheButtonGoesUp() {
        under = new Pick.TextBar(OptionalInt.of(40));
        on(new Input.ButtonDown(1260, 700, 1));
        assertEquals(OptionalInt.of(40), interaction.view().textTop());
        under = new Pick.TextBar(OptionalInt.empty());
        on(new Input.Moved(900, 750));
        assertEquals(OptionalInt.empty(), interaction.view().textTop());
        on(new Input.ButtonUp(900, 750));
        under = new Pick.TextBar(OptionalInt.of(7));
        on(new Input.Moved(1260, 700));
        assertEquals(OptionalInt.empty(), interaction.view().textTop());
        assertEquals(List.of(), sent);
    }

    @Test
    void aClickClosesTheListOfKeysAndPicksNothing() {
        under = new Pick.Head(2, 3, 0, 0);
        on(new Input.Typed('h'));
        assertTrue(interaction.view().help());
        click(200, 300);
        assertFalse(interaction.view().help());
        assertEquals(List.of(), sent);
    }

    @Test
    void anotherTextBeginsAtItsEnd() {
        follow(frame(0, 1000));
        on(new Input.Pressed(Input.Key.HOME, false));
        follow(frame(0, 1001));
        assertEquals(OptionalInt.of(0), interaction.view().textTop());
        follow(frame(1, 1000));
        assertEquals(OptionalInt.empty(), interaction.view().textTop());
    }

    private void follow(Frame frame) {
        text.add(frame);
        frame.chosen().ifPresent(interaction::follow);
    }

    private static Frame frame(int text, int tokens) {
        return new Frame(text, Frame.State.RUNNING, "", 0, 0, Collections.nCopies(tokens, new Frame.Token(1, "word")), 4,
                Map.of(), 16, List.of(), Optional.of(new ChosenHead(0, 0, tokens, 0, 1, new float[1], new float[0], tokens)),
                Double.NaN, 0, 0);
    }

    @Test
    void thePointerIsHiddenFromTheScreenWhereAMenuLiesOverIt() {
        on(new Input.Moved(200, 300));
        assertTrue(interaction.pointer(LAYOUT).isPresent());
        on(new Input.Typed('e'));
        assertTrue(interaction.pointer(LAYOUT).isEmpty());
        on(new Input.Pressed(Input.Key.ESCAPE, false));
        on(new Input.Left());
        assertTrue(interaction.pointer(LAYOUT).isEmpty());
    }
}
