package headscope.bench;

import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.serve.AccessToken;
import headscope.live.serve.PageServer;
import headscope.live.serve.ServeAddress;
import headscope.live.window.WindowViewer;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.frame.Command;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What a view costs the model. While a view is open, phases in which it receives frames alternate with phases in which it
 * receives none and therefore draws and sends nothing. Each phase is compared with its two neighbours, so that a machine
 * that is slower for some seconds slows both sides of a comparison.
 */
final class LiveBenchmark {
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is";
    private static final int WARM_UP = 4; // phases

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final int phases;
    private final double seconds;

    /** Starts runs: the window's thread gives way to others, which threads that it starts would inherit. */
    private final ExecutorService starter;

    /** How the text is viewed. */
    private enum View {
        WINDOW_VSYNC("window, vsync"),
        WINDOW("window, no vsync"),
        SLEEPING("window whose thread sleeps"),
        PAGE("page, a reader that confirms every frame"),
        FROZEN_PAGE("page, a reader that is frozen");

        private final String words;

        View(String words) {
            this.words = words;
        }
    }

    private LiveBenchmark(Transformer model, Tokenizer tokenizer, int phases, double seconds, ExecutorService starter) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.phases = phases;
        this.seconds = seconds;
        this.starter = starter;
    }

    /**
     * @param arguments phases per view; seconds per phase; folder of a model, or nothing for GPT-2 small's shape with random
     *                  weights
     */
    static void run(List<String> arguments) throws Exception {
        int phases = Integer.parseInt(arguments.get(0));
        double seconds = Double.parseDouble(arguments.get(1));
        if (arguments.size() > 2) {
            measure(arguments, Path.of(arguments.get(2)), Path.of(arguments.get(2)), phases, seconds);
        } else {
            try (RandomCheckpoint random = RandomCheckpoint.write()) {
                measure(arguments, random.folder(), Path.of("models/demo"), phases, seconds);
            }
        }
    }

    private static void measure(List<String> arguments, Path folder, Path words, int phases, double seconds)
            throws Exception {
        try (ExecutorService starter = Executors.newSingleThreadExecutor();
                Backend backend = starter.submit(() -> Backend.open("cpu")).get();
                Checkpoint checkpoint = Checkpoint.open(folder);
                Checkpoint worded = Checkpoint.open(words);
                Tokenizer tokenizer = Tokenizer.open(words, worded.config());
                Transformer model = starter.submit(() -> new Transformer(checkpoint, backend)).get()) {
            Machine machine = Machine.now();
            String table = new LiveBenchmark(model, tokenizer, phases, seconds, starter).table();
            System.out.println(machine.describe("live " + String.join(" ", arguments)) + table);
        }
    }

    private String table() throws Exception {
        StringBuilder table = new StringBuilder(
                "| view | tokens/s without it | with it | ratio, median of %d | 95 %% interval of the median |%n|---|---|---|---|---|%n"
                        .formatted(phases));
        for (View view : View.values()) {
            AlternatingFrames frames = measure(view);
            table.append("| %s | %.1f | %.1f | %s |%n".formatted(
                    view.words, frames.rateWithout(), frames.rateWith(), frames.ratio()));
        }
        return table.toString();
    }

    private AlternatingFrames measure(View view) throws Exception {
        BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
        int room = model.config().maxTokens() - tokenizer.encodePrompt(PROMPT).length;
        WatchRequest request = new WatchRequest(WatchRequest.METRICS, WatchRequest.CELLS, Sampler.GREEDY, room, 0);
        FrameStream stream = new FrameStream(Watch.source(model, request, "benchmark"), commands::add);
        Latest latest = stream.subscribe();
        AlternatingFrames frames = new AlternatingFrames(stream, WARM_UP, phases, seconds);
        Texts producer = new Texts(new Watch(model, tokenizer, request, "benchmark", frames, commands), frames);
        try (LiveRun run = starter.submit(() -> new LiveRun(stream, producer)).get()) {
            switch (view) {
                case WINDOW_VSYNC, WINDOW, SLEEPING -> window(view, run, latest, producer);
                case PAGE, FROZEN_PAGE -> page(view == View.FROZEN_PAGE, run, latest, producer);
            }
        }
        return frames;
    }

    private void window(View view, LiveRun run, Latest frames, Texts producer) throws InterruptedException {
        try (WindowViewer viewer = WindowViewer.open(run, new WindowViewer.Settings(
                1280, 800, view == View.WINDOW_VSYNC, true, PROMPT, Path.of("target")))) {
            producer.begin(run);
            if (view != View.SLEEPING) {
                viewer.view(run, frames);
            }
            producer.ended.await();
        }
    }

    @SuppressWarnings("try") // the reader works until it is closed
    private void page(boolean frozen, LiveRun run, Latest frames, Texts producer) throws Exception {
        try (PageServer page = PageServer.open(ServeAddress.parse("0"), AccessToken.random());
                ExecutorService server = Executors.newSingleThreadExecutor()) {
            Future<?> served = server.submit(() -> {
                page.view(run, frames, PROMPT, Path.of("target"));
                return null;
            });
            try (PageReader reader = new PageReader(page.url(), frozen)) {
                producer.begin(run);
                producer.ended.await();
            }
            served.get();
        }
    }

    /** Text after text until the last phase; then the view ends. */
    private static final class Texts implements LiveRun.Producer {
        private final Watch watch;
        private final AlternatingFrames frames;
        private final CompletableFuture<LiveRun> begun = new CompletableFuture<>();
        private final CountDownLatch ended = new CountDownLatch(1);

        Texts(Watch watch, AlternatingFrames frames) {
            this.watch = watch;
            this.frames = frames;
        }

        void begin(LiveRun run) {
            begun.complete(run);
        }

        @Override
        public void run() throws InterruptedException {
            LiveRun run = begun.join();
            try {
                while (!frames.ended()) {
                    watch.run(PROMPT, false);
                }
            } finally {
                ended.countDown();
                run.stop();
            }
        }

        @Override
        public void abandon() {}
    }
}
