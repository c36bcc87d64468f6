package headscope.live.control;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.figure.Axis;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Range;
import headscope.live.Camera;
import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class LivePictureTest {
    /** One layer, two heads, three tokens, in an atlas of four cells a side. */
    private static final FrameSource SOURCE = new FrameSource(
            "tiny", "cpu", 1, 2, true, List.of(new MeasuredMetric("sink_share", "")), 4, "maximum", 8);

    private static final float[] MAP = {1, 0, 0, 0.5f, 0.5f, 0, 0.25f, 0.25f, 0.5f};

    private static LiveText text() {
        float[] atlas = new float[2 * 3 * 4];
        for (int head = 0; head < 2; head++) {
            for (int row = 0; row < 3; row++) {
                System.arraycopy(MAP, 3 * row, atlas, (head * 3 + row) * 4, 3);
            }
        }
        LiveText text = new LiveText(SOURCE);
        text.add(new Frame(
                0, State.RUNNING, "", 0, 0, List.of(new Token(1, "a"), new Token(2, "b"), new Token(3, "c")), 1,
                Map.of("sink_share", new float[] {0.25f, 0.75f}), 1, List.of(new AtlasBlock(0, 0, 3, atlas)),
                Optional.of(new ChosenHead(0, 1, 1, 0, 3, MAP, new float[3], 3)), Double.NaN, 0, 0));
        return text;
    }

    private static final ViewState VIEW = ViewState.of("sink_share");

    private static Mark.Heatmap heatmap(Figure figure, int panel) {
        return (Mark.Heatmap) figure.panels().get(panel).marks().getFirst();
    }

    @Test
    void showsAllHeadsAndTheChosenOneOnOneScale() {
        Figure figure = LivePicture.of(text(), VIEW);
        assertEquals(1, figure.bars().size());
        assertEquals(new Range(0, 1), figure.bars().getFirst().range());
        assertEquals(Optional.of(new Mark.Cell(0, 1)), figure.enlarged());
        assertEquals(3, heatmap(figure, 0).rows());
        assertArrayEquals(new float[] {0.5f, 0.5f, 0, 0.5f, 0.5f, 0},
                Arrays.copyOfRange(heatmap(figure, 0).values(), 6, 12));
        assertArrayEquals(MAP, heatmap(figure, 1).values());
        assertEquals("tiny, 1 layers x 2 heads, after 3 tokens.", figure.caption());
    }

    @Test
    void showsTheVisiblePartOfTheMap() {
        Figure figure = LivePicture.of(text(), VIEW.withMap(new Camera(1 / 3.0, 1 / 3.0, 1.5)));
        assertArrayEquals(new float[] {0.5f, 0, 0.25f, 0.5f}, heatmap(figure, 1).values());
        assertEquals(List.of("b", "c"), ((Axis.Named) figure.panels().get(1).x()).names());
    }

    @Test
    void showsLogarithmsAndLeavesOutTheFirstToken() {
        Figure figure = LivePicture.of(text(), VIEW.withLog(true).withFirstToken(false));
        assertArrayEquals(
                new float[] {Float.NaN, -4, -4, Float.NaN, (float) Math.log10(0.5), -4, Float.NaN,
                    (float) Math.log10(0.25), (float) Math.log10(0.5)},
                heatmap(figure, 1).values());
        assertEquals("tiny, 1 layers x 2 heads, after 3 tokens. Without the column of the first token.", figure.caption());
    }

    @Test
    void showsTheRowOfAPickedToken() {
        Figure figure = LivePicture.of(text(), VIEW.withToken(OptionalInt.of(2), false));
        for (int row = 0; row < 3; row++) {
            assertArrayEquals(new float[] {0.25f, 0.25f, 0.5f, 0.25f, 0.25f, 0.5f},
                    Arrays.copyOfRange(heatmap(figure, 0).values(), 6 * row, 6 * row + 6));
        }
    }

    @Test
    void showsAMetric() {
        Figure figure = LivePicture.of(text(), VIEW.withGridOf(Mode.METRIC, "sink_share"));
        assertArrayEquals(new float[] {0.25f, 0.75f}, heatmap(figure, 0).values());
        assertEquals(2, figure.bars().size());
    }
}
