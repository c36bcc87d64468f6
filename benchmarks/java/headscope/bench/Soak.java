package headscope.bench;

import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.screen.OffscreenLive;
import headscope.live.screen.ScreenStatus;
import headscope.live.window.WindowViewer;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Shows the demo model at full speed for some minutes, text after text, and prints memory and frame times on the way.
 * Arguments: minutes, then {@code window} for a window instead of an offscreen screen.
 */
public final class Soak {
    private static final Path MODEL = Path.of("models/demo");
    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final List<String> PROMPTS = List.of(
            "the capital of boria is birch . the capital of cania is cedar . the capital of elvia is",
            "the capital of cania is",
            "the capital of elvia is elder . the capital of boria is birch . the capital of elvia is elder . the capital of");
    private static final double MIB = 1 << 20;

    private final LiveRun run;
    private final Backend backend;
    private final long begun = System.nanoTime();
    private final List<Long> drawn = new ArrayList<>();
    private volatile long textures;

    private Soak(LiveRun run, Backend backend) {
        this.run = run;
        this.backend = backend;
    }

    public static void main(String[] arguments) throws Exception {
        Duration time = Duration.ofSeconds(Math.round(60 * Double.parseDouble(arguments[0])));
        boolean window = arguments.length > 1 && arguments[1].equals("window");
        WatchRequest request = new WatchRequest(
                WatchRequest.METRICS, WatchRequest.CELLS, Sampler.GREEDY, WatchRequest.MAX_NEW_TOKENS, 0);
        try (Checkpoint checkpoint = Checkpoint.open(MODEL);
                Tokenizer tokenizer = Tokenizer.open(MODEL, checkpoint.config());
                Backend backend = Backend.open("auto");
                Transformer model = new Transformer(checkpoint, backend)) {
            LinkedBlockingQueue<Command> commands = new LinkedBlockingQueue<>();
            FrameStream stream = new FrameStream(Watch.source(model, request, "demo"), commands::add);
            Watch watch = new Watch(model, tokenizer, request, "demo", stream, commands);
            Latest frames = stream.subscribe();
            Latest ends = stream.subscribe();
            System.out.printf("%s, %s, %s%n", LocalDate.now(), backend.describe(), window ? "window" : "offscreen");
            try (LiveRun run = new LiveRun(stream, new Prompt(watch))) {
                Soak soak = new Soak(run, backend);
                Thread sampler = Thread.ofPlatform().start(() -> soak.sample(ends, time));
                if (window) {
                    try (WindowViewer viewer = WindowViewer.open(
                            run, new WindowViewer.Settings(1280, 800, false, true, "", Path.of("runs")))) {
                        viewer.view(run, frames);
                    }
                } else {
                    soak.draw(frames);
                }
                sampler.join();
            }
        }
    }

    private record Prompt(Watch watch) implements LiveRun.Producer {
        @Override
        public void run() throws InterruptedException {
            watch.run(PROMPTS.getFirst(), true);
        }

        @Override
        public void abandon() {
            watch.abandon();
        }
    }

    private void draw(Latest frames) throws InterruptedException {
        LiveText text = new LiveText(run.stream().source());
        ViewState state = ViewState.of(run.stream().source().metrics().getFirst().key());
        try (OffscreenLive screen = OffscreenLive.open(text)) {
            while (!run.stopping()) {
                Optional<Frame> frame = frames.take(Duration.ofMillis(100));
                if (frame.isPresent()) {
                    text.add(frame.get());
                    long start = System.nanoTime();
                    screen.image(state, ScreenStatus.NONE, 1280, 800, 1);
                    synchronized (drawn) {
                        drawn.add(System.nanoTime() - start);
                    }
                    textures = screen.textureBytes();
                }
            }
        }
    }

    /** Begins the next text where one ends, and prints a line per interval, until the time is over. */
    private void sample(Latest frames, Duration time) {
        System.out.println("seconds  texts  tokens/s  heap MiB  resident MiB  device MiB  textures MiB  frames  median ms  99th ms");
        long next = INTERVAL.toNanos();
        int texts = 0;
        double rate = Double.NaN;
        try {
            while (System.nanoTime() - begun < time.toNanos() && !run.ended()) {
                Optional<Frame> frame = frames.take(Duration.ofMillis(50));
                if (frame.isPresent() && frame.get().state() == State.ENDED) {
                    texts++;
                    run.stream().send(new Command.Restart(PROMPTS.get(texts % PROMPTS.size())));
                }
                rate = frame.map(Frame::tokensPerSecond).filter(known -> !known.isNaN()).orElse(rate);
                if (System.nanoTime() - begun >= next) {
                    print(texts, rate);
                    next += INTERVAL.toNanos();
                }
            }
        } catch (InterruptedException | IOException failure) {
            throw new IllegalStateException(failure);
        } finally {
            run.stop();
        }
    }

    private void print(int texts, double rate) throws IOException {
        System.gc();
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        String resident = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .map(line -> line.replaceAll("\\D", ""))
                .findFirst().orElse("0");
        double[] millis;
        synchronized (drawn) {
            millis = drawn.stream().mapToDouble(nanos -> nanos / 1e6).sorted().toArray();
            drawn.clear();
        }
        System.out.printf(Locale.ROOT, "%7d  %5d  %8.1f  %8.1f  %12.1f  %10.1f  %12.1f  %6d  %9.2f  %7.2f%n",
                Math.round((System.nanoTime() - begun) / 1e9), texts, rate, heap / MIB, Long.parseLong(resident) / 1024.0,
                backend.liveBytes() / MIB, textures / MIB, millis.length, quantile(millis, 0.5), quantile(millis, 0.99));
    }

    /** NaN without frames, as in a window, whose status line shows its own frame time. */
    private static double quantile(double[] sorted, double share) {
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.min(sorted.length - 1, share * sorted.length)];
    }
}
