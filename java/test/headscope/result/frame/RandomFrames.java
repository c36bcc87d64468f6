package headscope.result.frame;

import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Frames with random values of a source with few heads and small atlases. */
public final class RandomFrames {
    public static final int LAYERS = 2;
    public static final int HEADS = 3;
    public static final int SIDE = 4;
    public static final FrameSource SOURCE = new FrameSource(
            "random", "none", LAYERS, HEADS, true, List.of(new MeasuredMetric("entropy", "nats")), SIDE, "maximum", 0);

    private final Random random;

    public RandomFrames(Random random) {
        this.random = random;
    }

    /** Two texts, which outgrow their cells twice, whose chosen head changes on the way. */
    public List<Frame> stream() {
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
