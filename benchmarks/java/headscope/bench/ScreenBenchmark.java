package headscope.bench;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.screen.OffscreenLive;
import headscope.live.screen.ScreenStatus;
import headscope.render.Image;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The live screen at 1920 x 1080 with 1,024 thumbnails of 64 x 64 cells and one map of 1,024 x 1,024, until its pixels are
 * in memory.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 3)
@Fork(1)
public class ScreenBenchmark {
    private static final int HEADS = 32; // per layer, and layers
    private static final int SIDE = 64;
    private static final int TOKENS = 1024;

    private final Random random = new Random(1);
    private final ViewState state = ViewState.of("entropy");
    private LiveText text;
    private OffscreenLive screen;
    private int step;

    @Setup
    public void open() {
        text = new LiveText(new FrameSource("random", "no device", HEADS, HEADS, true,
                List.of(new MeasuredMetric("entropy", "nat")), SIDE, "maximum", 0));
        for (int token = 0; token < TOKENS - 1; token++) {
            text.add(frame(token, List.of(), Optional.empty()));
        }
        List<AtlasBlock> atlas = new ArrayList<>();
        for (int layer = 0; layer < HEADS; layer++) {
            atlas.add(new AtlasBlock(layer, 0, SIDE, values(HEADS * SIDE * SIDE)));
        }
        text.add(frame(TOKENS - 1, atlas, Optional.of(chosen(0))));
        screen = OffscreenLive.open(text);
    }

    @TearDown
    public void close() {
        screen.close();
    }

    /** Draws the screen after a new token: a new row in every map, new labels and curves. */
    @Benchmark
    public Image newToken() {
        List<AtlasBlock> atlas = new ArrayList<>();
        for (int layer = 0; layer < HEADS; layer++) {
            atlas.add(new AtlasBlock(layer, SIDE - 1, 1, values(HEADS * SIDE)));
        }
        text.add(frame(TOKENS - 1, atlas, Optional.of(chosen(TOKENS - 1))));
        return image();
    }

    /** Draws the screen again, as for a movement of the mouse. */
    @Benchmark
    public Image sameToken() {
        return image();
    }

    private Image image() {
        return screen.image(state, ScreenStatus.NONE, 1920, 1080, 1);
    }

    private Frame frame(int token, List<AtlasBlock> atlas, Optional<ChosenHead> chosen) {
        step++;
        return new Frame(0, Frame.State.RUNNING, "", step, token, List.of(new Token(step, "token" + step % 100)), HEADS,
                Map.of("entropy", values(HEADS * HEADS)), TOKENS / SIDE, atlas, chosen, 100 + step % 7, 1 << 30, 0);
    }

    private ChosenHead chosen(int firstRow) {
        return new ChosenHead(0, 0, 1, firstRow, TOKENS, values((TOKENS - firstRow) * TOKENS),
                values(ChosenHead.MAX_EIGENVALUES), TOKENS);
    }

    private float[] values(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }
}
