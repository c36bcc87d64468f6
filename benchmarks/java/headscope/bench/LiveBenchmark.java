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
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What a view costs the model: tokens per second of a watched text without a viewer, with a window, with a window whose
 * thread sleeps, and with a page that a browser on another machine reads. The runs alternate, so that a busy machine slows all of them; the ratios are those of runs side by side.
 */
final class LiveBenchmark {
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is";
    private static final int WARM_UP = 2;

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final WatchRequest request;
    private final int texts;

    /** Starts runs: the window's thread has a low priority, which threads that it starts would inherit. */
    private final ExecutorService starter;

    /** How the text is viewed. */
    private enum View {
        NONE("none"),
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

    private LiveBenchmark(Transformer model, Tokenizer tokenizer, int newTokens, int texts, ExecutorService starter) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.request = new WatchRequest(WatchRequest.METRICS, WatchRequest.CELLS, Sampler.GREEDY, newTokens, 0);
        this.texts = texts;
        this.starter = starter;
    }

    /**
     * @param arguments rounds; new tokens per text; texts per run; folder of a model, or nothing for GPT-2 small's shape with
     *                  random weights
     */
    static void run(List<String> arguments) throws Exception {
        int rounds = Integer.parseInt(arguments.get(0));
        int newTokens = Integer.parseInt(arguments.get(1));
        int texts = Integer.parseInt(arguments.get(2));
        if (arguments.size() > 3) {
            measure(arguments, Path.of(arguments.get(3)), Path.of(arguments.get(3)), rounds, newTokens, texts);
        } else {
            try (RandomCheckpoint random = RandomCheckpoint.write()) {
                measure(arguments, random.folder(), Path.of("models/demo"), rounds, newTokens, texts);
            }
        }
    }

    private static void measure(
            List<String> arguments, Path folder, Path words, int rounds, int newTokens, int texts) throws Exception {
        try (ExecutorService starter = Executors.newSingleThreadExecutor();
                Backend backend = starter.submit(() -> Backend.open("cpu")).get();
                Checkpoint checkpoint = Checkpoint.open(folder);
                Checkpoint worded = Checkpoint.open(words);
                Tokenizer tokenizer = Tokenizer.open(words, worded.config());
                Transformer model = starter.submit(() -> new Transformer(checkpoint, backend)).get()) {
            Machine machine = Machine.now();
            String table = new LiveBenchmark(model, tokenizer, newTokens, texts, starter).table(rounds);
            System.out.println(machine.describe("live " + String.join(" ", arguments)) + table);
        }
    }

    private String table(int rounds) throws Exception {
        Map<View, double[]> rates = new EnumMap<>(View.class);
        for (View view : View.values()) {
            rates.put(view, new double[rounds]);
        }
        for (int round = -WARM_UP; round < rounds; round++) {
            for (View view : View.values()) {
                double rate = tokensPerSecond(view);
                if (round >= 0) {
                    rates.get(view)[round] = rate;
                }
            }
        }
        StringBuilder table = new StringBuilder(
                "| view | tokens/s, median of %d | of that without a view, median | lowest | highest |%n|---|---|---|---|---|%n"
                        .formatted(rounds));
        for (View view : View.values()) {
            double[] ratios = new double[rounds];
            for (int i = 0; i < rounds; i++) {
                ratios[i] = rates.get(view)[i] / rates.get(View.NONE)[i];
            }
            Arrays.sort(ratios);
            table.append("| %s | %.1f | %.1f %% | %.1f %% | %.1f %% |%n".formatted(view.words, median(rates.get(view)),
                    100 * median(ratios), 100 * ratios[0], 100 * ratios[rounds - 1]));
        }
        return table.toString();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private double tokensPerSecond(View view) throws Exception {
        BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
        FrameStream stream = new FrameStream(Watch.source(model, request, "benchmark"), commands::add);
        Latest frames = stream.subscribe();
        Texts producer = new Texts(new Watch(model, tokenizer, request, "benchmark", stream, commands));
        try (LiveRun run = starter.submit(() -> new LiveRun(stream, producer)).get()) {
            switch (view) {
                case NONE -> {
                    producer.begin(run);
                    producer.ended.await();
                }
                case WINDOW_VSYNC, WINDOW, SLEEPING -> window(view, run, frames, producer);
                case PAGE, FROZEN_PAGE -> page(view == View.FROZEN_PAGE, run, frames, producer);
            }
        }
        return producer.tokens / producer.seconds;
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
                page.view(run, frames, PROMPT);
                return null;
            });
            try (PageReader reader = new PageReader(page.url(), frozen)) {
                producer.begin(run);
                producer.ended.await();
            }
            served.get();
        }
    }

    /** Several texts, timed; then the view ends. */
    private final class Texts implements LiveRun.Producer {
        private final Watch watch;
        private final CompletableFuture<LiveRun> begun = new CompletableFuture<>();
        private final CountDownLatch ended = new CountDownLatch(1);
        private double seconds;
        private double tokens;

        Texts(Watch watch) {
            this.watch = watch;
        }

        void begin(LiveRun run) {
            begun.complete(run);
        }

        @Override
        public void run() throws InterruptedException {
            LiveRun run = begun.join();
            int limit = model.config().maxTokens() - watch.tokens(PROMPT).length;
            long start = System.nanoTime();
            try {
                for (int text = 0; text < texts; text++) {
                    watch.run(PROMPT, false);
                    tokens += Math.min(request.maxNewTokens(), limit);
                }
                seconds = (System.nanoTime() - start) / 1e9;
            } finally {
                ended.countDown();
                run.stop();
            }
        }

        @Override
        public void abandon() {}
    }
}
