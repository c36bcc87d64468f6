package headscope.cli;

import headscope.analysis.InputException;
import headscope.cli.terminal.CleanStop;
import headscope.cli.terminal.ProgressLine;
import headscope.live.LiveRun;
import headscope.live.film.FilmedText;
import headscope.render.Image;
import headscope.render.film.Film;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Options that show a stream as image files, without a window: the producer waits for them. */
final class HeadlessOptions {
    private static final int EVERY = 1;
    private static final int PER_SECOND = 10;
    private static final int MAX_PER_SECOND = 60;

    @Option(names = "--headless", description = "Open no window; write --frames, --film or --record.")
    boolean on;

    @Option(names = "--frames", paramLabel = "DIR",
            description = "Draw the screen into PNG files in this folder: frame-000000.png, frame-000001.png, ...")
    Optional<Path> frames = Optional.empty();

    @Option(names = "--film", paramLabel = "FILE",
            description = "Draw the screen into a film: FILE.png, an animated PNG, or FILE.mp4 if ffmpeg is installed.")
    Optional<Path> film = Optional.empty();

    @Option(names = "--every", paramLabel = "N", description = "Draw every N-th token, and the last (default: ${DEFAULT-VALUE}).")
    int every = EVERY;

    @Option(names = "--fps", paramLabel = "N", description = "Images per second of the film (default: ${DEFAULT-VALUE}).")
    int perSecond = PER_SECOND;

    /** Checks the options before a model is loaded. */
    void require(boolean recorded) {
        InputException.require(on || frames.isEmpty() && film.isEmpty(), "--frames and --film need --headless");
        InputException.require(on || every == EVERY && perSecond == PER_SECOND, "--every and --fps need --headless");
        InputException.require(!on || frames.isPresent() || film.isPresent() || recorded,
                "--headless shows nothing: add --frames DIR, --film FILE or --record FILE");
        InputException.require(every >= 1, "--every must be at least 1, not " + every);
        InputException.require(perSecond >= 1 && perSecond <= MAX_PER_SECOND,
                "--fps must be from 1 to %d, not %d".formatted(MAX_PER_SECOND, perSecond));
        frames.ifPresent(folder -> InputException.require(emptyOrAbsent(folder),
                folder + ": is not an empty folder; name another one for the frames"));
        film.ifPresent(file -> {
            InputException.rejecting(() -> {
                Film.require(file);
                return file;
            });
            Path folder = file.toAbsolutePath().getParent();
            InputException.require(Files.isDirectory(folder), file + ": cannot be written: there is no such folder");
        });
    }

    private static boolean emptyOrAbsent(Path folder) {
        if (!Files.isDirectory(folder)) {
            return !Files.exists(folder);
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    /**
     * Runs a producer to the end of its text, in this thread.
     *
     * @param of the producer that gives its frames to a consumer
     */
    void show(FrameSource source, WindowOptions window, BlockingQueue<Command> commands,
            Function<Consumer<Frame>, LiveRun.Producer> of) {
        if (frames.isEmpty() && film.isEmpty()) {
            run(source, commands, _ -> { }, of);
            return;
        }
        WindowOptions.Size size = window.size();
        ImageFolder folder = new ImageFolder(frames);
        try (Film written = film.map(file -> Film.begin(file, perSecond)).orElse(Film.NONE);
                FilmedText pictures = new FilmedText(source, window.theme == WindowOptions.Theme.DARK, size.width(),
                        size.height(), every, ((Consumer<Image>) folder).andThen(written::add))) {
            run(source, commands, pictures, of);
            pictures.finish();
            InputException.require(folder.images() > 0, "nothing to draw: no prompt was read to its end");
            written.finish();
        }
        frames.ifPresent(place -> System.out.printf("Frames: %s (%d images)%n", place, folder.images()));
        film.ifPresent(file -> System.out.printf("Film: %s (%d images, %d per second)%n", file, folder.images(), perSecond));
    }

    @SuppressWarnings("try") // the stop is there to be closed
    private static void run(FrameSource source, BlockingQueue<Command> commands, Consumer<Frame> pictures,
            Function<Consumer<Frame>, LiveRun.Producer> of) {
        try (ProgressLine progress = new ProgressLine("watching", "tokens")) {
            LiveRun.Producer producer = of.apply(pictures.andThen(frame -> {
                int passes = source.maxNewTokens() + 1;
                progress.reached(Math.min(frame.step() + 1, passes), passes);
            }));
            try (CleanStop stop = new CleanStop(() -> {
                producer.abandon();
                commands.add(new Command.Stop());
            })) {
                producer.run();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
