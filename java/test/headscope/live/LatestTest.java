package headscope.live;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A viewer that takes frames rarely sees the same text as one that takes every frame. */
final class LatestTest {
    private static final int LAYERS = 2;
    private static final int HEADS = 3;
    private static final int SIDE = 4;
    private static final FrameSource SOURCE = new FrameSource(
            "random", "none", LAYERS, HEADS, true, List.of(new MeasuredMetric("entropy", "nats")), SIDE, "maximum", 0);

    private final Random random = new Random(7);

    @Test
    void joinedFramesAddUpToTheSameText() {
        for (int every = 1; every <= 40; every++) {
            Latest slot = new Latest();
            LiveText all = new LiveText(SOURCE);
            LiveText few = new LiveText(SOURCE);
            List<Frame> stream = stream();
            long taken = 0;
            for (int i = 0; i < stream.size(); i++) {
                all.add(stream.get(i));
                slot.put(stream.get(i));
                if (i % every == every - 1 || i == stream.size() - 1) {
                    few.add(slot.take().orElseThrow());
                    taken++;
                    assertEquals(all.tokens(), few.tokens());
                    assertArrayEquals(all.atlas(), few.atlas());
                    assertArrayEquals(all.map(), few.map());
                    assertArrayEquals(all.metric("entropy").orElseThrow(), few.metric("entropy").orElseThrow());
                }
            }
            assertEquals(stream.size() - taken, few.frame().orElseThrow().dropped());
        }
    }

    @Test
    void joinedFramesStaySmall() {
        Latest slot = new Latest();
        stream().forEach(slot::put);
        assertTrue(slot.take().orElseThrow().atlas().size() <= LAYERS * (SIDE + 1));
    }

    @Test
    void anEmptySlotGivesNothingAfterTheTimeout() throws InterruptedException {
        assertEquals(Optional.empty(), new Latest().take(Duration.ofMillis(5)));
    }

    /** Two texts, which outgrow their cells twice, whose chosen head changes on the way. */
    private List<Frame> stream() {
        List<Frame> frames = new ArrayList<>();
        for (int text = 0; text < 2; text++) {
            int bin = 1;
            for (int step = 0, tokens = 0; tokens < 3 * SIDE; step++) {
                int count = step == 0 ? 3 : 1;
                int first = tokens;
                tokens += count;
                boolean doubled = tokens > SIDE * bin;
                bin = doubled ? 2 * bin : bin;
                frames.add(frame(text, step, first, count, bin, step == 0 || doubled));
            }
        }
        return frames;
    }

    private Frame frame(int text, int step, int first, int count, int bin, boolean whole) {
        int end = first + count;
        int cells = (end + bin - 1) / bin;
        int row = whole ? 0 : first / bin;
        List<AtlasBlock> blocks = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            blocks.add(new AtlasBlock(layer, row, cells - row, floats(HEADS * (cells - row) * SIDE)));
        }
        List<Token> tokens = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tokens.add(new Token(first + i, "t" + (first + i)));
        }
        int head = step / 4 % HEADS;
        int mapRow = whole || step % 4 == 0 ? 0 : row;
        return new Frame(text, State.RUNNING, "", step, first, tokens, LAYERS, Map.of("entropy", floats(LAYERS * HEADS)),
                bin, blocks, Optional.of(new ChosenHead(
                        1, head, bin, mapRow, cells, floats((cells - mapRow) * cells), new float[0], end)),
                Double.NaN, 0, 0);
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }
}
