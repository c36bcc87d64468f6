package headscope.bench;

import headscope.Browser;
import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.ThreadPriority;
import headscope.live.serve.AccessToken;
import headscope.live.serve.PageServer;
import headscope.live.serve.ServeAddress;
import headscope.live.window.WindowViewer;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What a view costs the model. While a view is open, phases in which it receives frames alternate with phases in which it
 * receives none and therefore draws and sends nothing. Each phase is compared with its two neighbours, so that a machine
 * that is slower for some seconds slows both sides of a comparison.
 */
final class LiveBenchmark {
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is";
    private static final double WARM_UP = 3; // seconds, at least
    private static final int MIN_WARM_UP = 4; // phases
    private static final int MAX_TOKENS = 1024; // of a text: a longer one is slower

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final int phases;
    private final double seconds;
    private final List<View> views;

    /** Starts runs: the window's thread gives way to others, which threads that it starts would inherit. */
    private final ExecutorService starter;

    /** How the text is viewed. */
    private enum View {
        WINDOW_VSYNC("window, vsync"),
        WINDOW("window, no vsync"),
        SLEEPING("window whose thread sleeps"),
        OFFSCREEN("screen drawn without a window"),
        PAGE("page, a reader that confirms every frame"),
        FROZEN_PAGE("page, a reader that is frozen"),
        BROWSER("page in Chromium");

        private final String words;

        View(String words) {
            this.words = words;
        }

        static View named(String name) {
            return Arrays.stream(values())
                    .filter(view -> view.name().equals(name.toUpperCase(Locale.ROOT).replace('-', '_')))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no view %s; there are %s".formatted(
                            name, Arrays.toString(values()).toLowerCase(Locale.ROOT).replace('_', '-'))));
        }
    }

    private LiveBenchmark(Transformer model, Tokenizer tokenizer, int phases, double seconds, List<View> views,
            ExecutorService starter) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.phases = phases;
        this.seconds = seconds;
        this.views = views;
        this.starter = starter;
    }

    /**
     * @param arguments phases per view; seconds per phase; folder of a model, or nothing for GPT-2 small's shape with random
     *                  weights; {@code --device} and a device, by default the CPU; {@code --views} and names of views
     *                  with commas between them, by default all
     */
    static void run(List<String> arguments) throws Exception {
        List<String> given = new ArrayList<>(arguments);
        String device = option(given, "--device", "cpu");
        String names = option(given, "--views", String.join(",", Arrays.stream(View.values()).map(View::name).toList()));
        List<View> views = Arrays.stream(names.split(",")).map(View::named).toList();
        int phases = Integer.parseInt(given.get(0));
        double seconds = Double.parseDouble(given.get(1));
        String command = "live " + String.join(" ", arguments);
        if (given.size() > 2) {
            Path folder = Path.of(given.get(2));
            measure(command, device, folder, folder, phases, seconds, views);
        } else {
            try (RandomCheckpoint random = RandomCheckpoint.write()) {
                measure(command, device, random.folder(), Path.of("models/demo"), phases, seconds, views);
            }
        }
    }

    /** The value that follows an option; removes both. */
    private static String option(List<String> arguments, String name, String otherwise) {
        int at = arguments.indexOf(name);
        if (at < 0) {
            return otherwise;
        }
        arguments.remove(at);
        return arguments.remove(at);
    }

    private static void measure(String command, String device, Path folder, Path words, int phases, double seconds,
            List<View> views) throws Exception {
        try (ExecutorService starter = Executors.newSingleThreadExecutor();
                Checkpoint checkpoint = Checkpoint.open(folder);
                Backend backend = starter.submit(() -> Backend.open(
                        new DeviceChoice(device, Precision.parse("auto"), false), checkpoint::precision, System.err::println))
                        .get();
                Checkpoint worded = Checkpoint.open(words);
                Tokenizer tokenizer = Tokenizer.open(words, worded.config());
                Transformer model = starter.submit(() -> new Transformer(checkpoint, backend)).get()) {
            Machine machine = Machine.now(backend);
            String table = new LiveBenchmark(model, tokenizer, phases, seconds, views, starter).table();
            System.out.println(machine.describe(command) + table);
        }
    }

    private String table() throws Exception {
        StringBuilder table = new StringBuilder(
                "| view | tokens/s without it | with it | ratio, median of %d | 95 %% interval of the median |%n|---|---|---|---|---|%n"
                        .formatted(phases));
        for (View view : views) {
            AlternatingFrames frames = measure(view);
            table.append("| %s | %.1f | %.1f | %s |%n".formatted(
                    view.words, frames.rateWithout(), frames.rateWith(), frames.ratio()));
        }
        return table.toString();
    }

    private AlternatingFrames measure(View view) throws Exception {
        BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
        int room = Math.min(MAX_TOKENS, model.config().maxTokens()) - tokenizer.encodePrompt(PROMPT).length;
        WatchRequest request = new WatchRequest(WatchRequest.METRICS, WatchRequest.CELLS, Sampler.GREEDY, room, 0);
        FrameStream stream = new FrameStream(Watch.source(model, request, "benchmark"), commands::add);
        Latest latest = stream.subscribe();
        AlternatingFrames frames = new AlternatingFrames(
                stream, Math.max(MIN_WARM_UP, 2 * (int) Math.ceil(WARM_UP / 2 / seconds)), phases, seconds);
        Texts producer = new Texts(new Watch(model, tokenizer, request, "benchmark", frames, commands), frames);
        try (LiveRun run = starter.submit(() -> new LiveRun(stream, producer)).get()) {
            switch (view) {
                case WINDOW_VSYNC, WINDOW, SLEEPING -> window(view, run, latest, producer);
                case OFFSCREEN -> offscreen(run, latest, producer);
                case PAGE, FROZEN_PAGE, BROWSER -> page(view, run, latest, producer);
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

    /** As in a window, with a copy of every image to memory instead of a monitor. */
    private void offscreen(LiveRun run, Latest frames, Texts producer) throws Exception {
        try (ExecutorService drawing = Executors.newSingleThreadExecutor()) {
            CountDownLatch open = new CountDownLatch(1);
            Future<Integer> drawn = drawing.submit(() -> {
                ThreadPriority.giveWay();
                return OffscreenViewer.view(run, frames, open::countDown);
            });
            while (!open.await(100, TimeUnit.MILLISECONDS) && !drawn.isDone()) { }
            producer.begin(run);
            System.err.println(drawn.get() + " images drawn");
        }
    }

    private void page(View view, LiveRun run, Latest frames, Texts producer) throws Exception {
        try (PageServer page = PageServer.open(ServeAddress.parse("0"), AccessToken.random());
                ExecutorService server = Executors.newSingleThreadExecutor()) {
            Future<?> served = server.submit(() -> {
                page.view(run, frames, PROMPT, Path.of("target"));
                return null;
            });
            if (view == View.BROWSER) {
                browse(page.url(), run, producer);
            } else {
                read(page.url(), view == View.FROZEN_PAGE, run, producer);
            }
            served.get();
        }
    }

    @SuppressWarnings("try") // the reader works until it is closed
    private void read(String url, boolean frozen, LiveRun run, Texts producer) throws InterruptedException {
        try (PageReader reader = new PageReader(url, frozen)) {
            producer.begin(run);
            producer.ended.await();
        }
    }

    /** The browser's processes give way to the model: a user's browser runs on another machine. */
    private void browse(String url, LiveRun run, Texts producer) throws Exception {
        try (ExecutorService opening = Executors.newSingleThreadExecutor();
                Browser browser = opening.submit(() -> {
                    LastingPriority.giveWay();
                    return Browser.open(1280, 943);
                }).get()) {
            browser.visit(url);
            browser.awaitText("state", "waiting"::equals);
            producer.begin(run);
            producer.ended.await();
            System.err.println("the page shows: " + browser.text("status"));
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
            LiveRun run;
            try {
                run = begun.join();
            } catch (CancellationException viewFailed) {
                return;
            }
            try {
                while (!frames.ended()) {
                    watch.run(PROMPT, false);
                }
            } finally {
                ended.countDown();
                run.stop();
            }
        }

        /** A view that could not be opened must not leave the producer waiting. */
        @Override
        public void abandon() {
            begun.cancel(true);
        }
    }
}
