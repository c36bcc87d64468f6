package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.cli.terminal.CleanStop;
import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.Recorder;
import headscope.live.serve.AccessToken;
import headscope.live.serve.PageServer;
import headscope.live.serve.ServeAddress;
import headscope.live.window.WindowViewer;
import headscope.render.window.Window;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that say how a stream of frames is shown: in a window, in browsers, or as files; and whether it is recorded. */
final class Views {
    @Mixin
    WindowOptions window = new WindowOptions();

    @Option(names = "--serve", paramLabel = "[HOST:]PORT",
            description = {
                "Serve a page for browsers instead of a window, on this machine only unless a host is named.",
                "The page's address contains a secret token, new each time unless HEADSCOPE_TOKEN is set."
            })
    Optional<String> serve = Optional.empty();

    @Mixin
    HeadlessOptions headless = new HeadlessOptions();

    @Option(names = "--record", paramLabel = "FILE",
            description = "Record all frames in this file, which live --replay and view play. It is readable while it is"
                    + " written.")
    Optional<Path> record = Optional.empty();

    /** Where frames come from. */
    @FunctionalInterface
    interface Source {
        /**
         * @param frames   receives every frame
         * @param commands of all viewers
         * @param stays    whether viewers stay when the text has ended, until they stop the producer
         */
        LiveRun.Producer producer(Consumer<Frame> frames, BlockingQueue<Command> commands, boolean stays);
    }

    /** A place where streams are shown. */
    interface Open extends AutoCloseable {
        /**
         * Shows a stream until it ends or the user does not want to see more.
         *
         * @param prompt that viewers may edit; may be empty
         */
        void show(FrameSource described, String prompt, Source source) throws InterruptedException;

        @Override
        default void close() {}
    }

    /** Checks the options, and takes what a view needs, before a model is loaded. */
    Open open() {
        record.ifPresent(file -> require(!Files.exists(file), file + ": already exists; name another file for the recording"));
        headless.require(record.isPresent());
        require(serve.isEmpty() || !headless.on, "--serve and --headless exclude each other: give one of them");
        if (headless.on) {
            return (described, _, source) -> recording(described, recorder -> {
                BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
                headless.show(described, window, commands,
                        frames -> source.producer(frames.andThen(recorder), commands, false));
            });
        }
        if (serve.isPresent()) {
            return new Served(page());
        }
        window.size();
        Window.requireDisplay("look at it in a browser with --serve PORT, or write files with --headless");
        return (described, prompt, source) -> watch(described, source, (run, frames) -> {
            try (WindowViewer viewer = WindowViewer.open(run, window.settings(prompt))) {
                viewer.view(run, frames);
            }
        });
    }

    private PageServer page() {
        ServeAddress address = rejecting(() -> ServeAddress.parse(serve.orElseThrow()));
        AccessToken token = Optional.ofNullable(System.getenv(AccessToken.VARIABLE))
                .map(text -> rejecting(() -> AccessToken.of(text)))
                .orElseGet(AccessToken::random);
        return PageServer.open(address, token);
    }

    /** Serves a page that needs nothing else until the program is stopped. */
    @SuppressWarnings("try") // the stop is there to be closed
    void serve(String html) throws InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        try (PageServer page = page();
                CleanStop stop = new CleanStop(stopped::countDown)) {
            page.serve(html);
            System.out.println("Open " + page.savedUrl());
            stopped.await();
        }
    }

    /** Shows a run to the user until one of them ends. */
    private interface Viewer {
        void view(LiveRun run, Latest frames) throws InterruptedException;
    }

    private interface Recorded {
        void show(Consumer<Frame> recorder) throws InterruptedException;
    }

    private void recording(FrameSource described, Recorded shown) throws InterruptedException {
        if (record.isEmpty()) {
            shown.show(_ -> { });
            return;
        }
        try (Recorder recorder = Recorder.open(record.get(), described, HeadscopeCommand::warn)) {
            shown.show(recorder);
            require(!recorder.isEmpty(), record.get() + ": nothing to record: no frame has come");
            if (recorder.joined() > 0) {
                HeadscopeCommand.warn("%s: %d frames are recorded as part of the next one, because the disk was busy"
                        .formatted(record.get(), recorder.joined()));
            }
        }
        System.out.println("Recording: " + record.get());
    }

    @SuppressWarnings("try") // the stop is there to be closed
    private void watch(FrameSource described, Source source, Viewer viewer) throws InterruptedException {
        BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
        FrameStream stream = new FrameStream(described, commands::add);
        recording(described, recorder -> {
            Latest frames = stream.subscribe();
            // The run begins first: threads that the window's thread starts inherit its low priority.
            try (LiveRun run = new LiveRun(stream, source.producer(stream.andThen(recorder), commands, true));
                    CleanStop stop = new CleanStop(run::stop)) {
                viewer.view(run, frames);
            }
        });
    }

    private final class Served implements Open {
        private final PageServer page;

        Served(PageServer page) {
            this.page = page;
        }

        @Override
        public void show(FrameSource described, String prompt, Source source) throws InterruptedException {
            watch(described, source, (run, frames) -> {
                System.out.println("Open " + page.url());
                page.view(run, frames, prompt, window.pictures);
            });
        }

        @Override
        public void close() {
            page.close();
        }
    }
}
