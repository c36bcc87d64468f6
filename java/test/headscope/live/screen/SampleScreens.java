package headscope.live.screen;

import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.figure.Colormap;
import headscope.live.Camera;
import headscope.live.LiveText;
import headscope.live.SourceStatus;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.render.Image;
import headscope.render.PngFile;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.LinkedBlockingQueue;

/** Screens that are inspected by eye: {@code SampleScreens <folder> <name>...} draws them. */
final class SampleScreens {
    private static final Path MODEL = Path.of("models/demo");
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is cedar . elder is the "
            + "capital of elvia . the capital of galia is gorse . the capital of aria is amber . the capital of koria is";

    /** A screen with 12 x 12 heads of the demo model, or with made-up heads. */
    enum Sample {
        DEMO(1280, 800, 1), DEMO_LIGHT(1280, 800, 1), DEMO_TOKEN(1280, 800, 1), DEMO_LARGE(2560, 1600, 2),
        MANY(1280, 800, 1), MANY_METRIC(1280, 800, 1), MANY_LARGE(2560, 1600, 2), MANY_LARGE_LIGHT(2560, 1600, 2),
        HELP(1280, 800, 1), ONE(1280, 800, 1), HUGE(1280, 800, 1), ZOOMED(1280, 800, 1), SMALL(800, 500, 1),
        WIDE(1920, 1080, 1), LONG(1280, 800, 1), LONG_START(1280, 800, 1), HUGE_ZOOMED(1280, 800, 1),
        RECORDING(1280, 800, 1), RECORDING_LIGHT(1280, 800, 1);

        final int width;
        final int height;
        final double scale;

        Sample(int width, int height, double scale) {
            this.width = width;
            this.height = height;
            this.scale = scale;
        }

        String file() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + ".png";
        }
    }

    private SampleScreens() {}

    public static void main(String[] arguments) throws Exception {
        for (String name : List.of(arguments).subList(1, arguments.length)) {
            Sample sample = Sample.valueOf(name);
            PngFile.write(Path.of(arguments[0], sample.file()), image(sample), 96, Map.of());
        }
    }

    static Image image(Sample sample) throws InterruptedException {
        LiveText text = switch (sample) {
            case DEMO, DEMO_LIGHT, DEMO_TOKEN, DEMO_LARGE, HELP, SMALL, WIDE -> demo();
            case ONE -> made(1, 1, 1, 0);
            case HUGE, HUGE_ZOOMED -> made(80, 64, 50, 3);
            case LONG, LONG_START -> pooled(32, 32, 131_072);
            case RECORDING, RECORDING_LIGHT -> made(4, 4, 60, 3);
            case MANY, MANY_METRIC, MANY_LARGE, MANY_LARGE_LIGHT, ZOOMED -> made(32, 32, 300, 2);
        };
        ViewState state = switch (sample) {
            case DEMO, DEMO_LARGE, SMALL, WIDE -> state(4, 6);
            case DEMO_LIGHT -> with(state(4, 6), Mode.MAPS, true, OptionalInt.empty(), false, false);
            case DEMO_TOKEN -> with(state(4, 6), Mode.MAPS, false, OptionalInt.of(8), true, true);
            case HELP -> help(state(4, 6));
            case ONE, RECORDING -> state(0, 0);
            case RECORDING_LIGHT -> state(0, 0).withDark(false);
            case HUGE, MANY_LARGE, LONG -> state(9, 20);
            case LONG_START -> state(9, 20).withTextTop(OptionalInt.of(70_000));
            case HUGE_ZOOMED -> state(9, 20).withGrid(new Camera(19.6 / 64, 8.6 / 80, 30));
            case MANY -> with(state(9, 20), Mode.MAPS, true, OptionalInt.empty(), false, true);
            case MANY_LARGE_LIGHT -> with(state(9, 20), Mode.MAPS, true, OptionalInt.of(100), false, false);
            case MANY_METRIC -> with(state(9, 20), Mode.METRIC, false, OptionalInt.empty(), true, true);
            case ZOOMED -> new ViewState(Mode.MAPS, "entropy", Colormap.viridis(), false, true, 9, 20, OptionalInt.empty(),
                    false, OptionalInt.empty(), new Camera(0.55, 0.2, 6), new Camera(0.6, 0.7, 8), true, false);
        };
        ScreenLayout layout = ScreenLayout.of(sample.width, sample.height, sample.scale, text.source());
        ScreenStatus status = new ScreenStatus(4.1, sample == Sample.HELP ? Optional.empty()
                : Optional.of(new ScreenStatus.Mouse(layout.map().x() + 0.3 * layout.map().width(),
                        layout.map().y() + 0.7 * layout.map().height())), "",
                sample == Sample.RECORDING || sample == Sample.RECORDING_LIGHT ? SourceStatus.played(0.4) : SourceStatus.NONE);
        try (OffscreenLive screen = OffscreenLive.open(text)) {
            return screen.image(state, status, sample.width, sample.height, sample.scale);
        }
    }

    private static ViewState state(int layer, int head) {
        return new ViewState(Mode.MAPS, "attention_score", Colormap.magma(), false, true, layer, head,
                OptionalInt.empty(), false, OptionalInt.empty(), Camera.WHOLE, Camera.WHOLE, true, false);
    }

    private static ViewState with(
            ViewState state, Mode mode, boolean log, OptionalInt token, boolean column, boolean dark) {
        return new ViewState(mode, state.metric(), state.colormap(), log, true, state.layer(), state.head(), token,
                column, state.textTop(), state.grid(), state.map(), dark, false);
    }

    private static ViewState help(ViewState state) {
        return state.withFirstToken(false).withHelp(true);
    }

    static LiveText pooled(int layers, int heads, int tokens) {
        SampleFrames frames = new SampleFrames(layers, heads, 1);
        LiveText text = new LiveText(frames.source());
        text.add(frames.pooled(tokens, Math.min(9, layers - 1), Math.min(20, heads - 1)));
        return text;
    }

    static LiveText made(int layers, int heads, int tokens, int steps) {
        SampleFrames frames = new SampleFrames(layers, heads, 1);
        LiveText text = new LiveText(frames.source());
        int layer = Math.min(9, layers - 1);
        int head = Math.min(20, heads - 1);
        text.add(frames.whole(tokens, layer, head));
        for (int step = 0; step < steps; step++) {
            text.add(frames.next(step + 1, tokens + step, layer, head));
        }
        return text;
    }

    private static LiveText demo() throws InterruptedException {
        LinkedBlockingQueue<Command> commands = new LinkedBlockingQueue<>(List.of(new Command.Pick(4, 6)));
        List<Frame> frames = new ArrayList<>();
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Tokenizer tokenizer = Tokenizer.open(MODEL, checkpoint.config());
                Transformer model = new Transformer(checkpoint, backend)) {
            WatchRequest request = new WatchRequest(
                    WatchRequest.METRICS, WatchRequest.CELLS, Sampler.GREEDY, 8, 0);
            Watch watch = new Watch(model, tokenizer, request, "demo", frames::add, commands);
            watch.run(PROMPT, false);
            FrameSource source = watch.source();
            LiveText text = new LiveText(new FrameSource("demo", "cpu, 2 workers", source.layers(), source.heads(), true,
                    source.metrics(), source.side(), source.pooling(), source.maxNewTokens(), source.maxTokens(), false));
            frames.forEach(frame -> text.add(steady(frame)));
            return text;
        }
    }

    /** Without what differs between machines and runs. */
    private static Frame steady(Frame frame) {
        return new Frame(frame.text(), frame.state(), frame.message(), frame.step(), frame.firstToken(), frame.tokens(),
                frame.layersRead(), frame.metrics(), frame.bin(), frame.atlas(), frame.chosen(), 412, 640L << 20, 0);
    }
}
