package headscope.live.window;

import headscope.figure.Figure;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.LiveText;
import headscope.live.Recorder;
import headscope.live.ThreadPriority;
import headscope.live.ViewState;
import headscope.live.control.Action.Desk;
import headscope.live.control.Interaction;
import headscope.live.control.LivePicture;
import headscope.live.screen.LiveScreen;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus;
import headscope.render.OffscreenRenderer;
import headscope.render.RenderUnavailableException;
import headscope.render.window.Input;
import headscope.render.window.Window;
import headscope.result.frame.Frame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Shows a stream in a window until the user closes it. Draws when something has changed, at most 60 times a second.
 * Belongs to the main thread.
 */
public final class WindowViewer implements AutoCloseable {
    private static final long NANOS_BETWEEN_FRAMES = 1_000_000_000 / 60;
    private static final Duration NOTICE = Duration.ofSeconds(6);

    private final Window window;
    private final LiveRun run;
    private final LiveText text;
    private final LiveScreen screen;
    private final Interaction interaction;
    private final Path folder;

    private long drawn = System.nanoTime() - NANOS_BETWEEN_FRAMES;
    private double frameMillis = Double.NaN;
    private String notice = "";
    private long noticed;
    private Optional<Recorder> recorder = Optional.empty();
    private final List<Thread> pictures = new ArrayList<>();
    private boolean quit;

    private WindowViewer(Window window, LiveRun run, Settings settings) {
        this.window = window;
        this.run = run;
        this.text = new LiveText(run.stream().source());
        this.screen = new LiveScreen(text);
        this.folder = settings.folder;
        ViewState view = ViewState.of(run.stream().source().metrics().getFirst().key()).withDark(settings.dark);
        this.interaction = new Interaction(
                text, view, settings.prompt, run.stream()::send, screen.measure(), window::copy);
    }

    /**
     * How a window begins.
     *
     * @param width  of the contents, in units of 1/96 inch
     * @param height likewise
     * @param vsync  whether showing a frame waits for the monitor
     * @param prompt that the user may edit
     * @param folder for pictures and recordings
     */
    public record Settings(int width, int height, boolean vsync, boolean dark, String prompt, Path folder) {}

    /**
     * The calling thread gives way to those of the model from now on.
     *
     * @throws RenderUnavailableException if there is no display, or no OpenGL 3.3 on it
     */
    public static WindowViewer open(LiveRun run, Settings settings) {
        ThreadPriority.giveWay();
        Window window = Window.open(
                "Headscope live: " + run.stream().source().model(), settings.width, settings.height, settings.vsync);
        try {
            return new WindowViewer(window, run, settings);
        } catch (RuntimeException problem) {
            window.close();
            throw problem;
        }
    }

    /**
     * Returns when the user closes the window, or when the run is {@link LiveRun#stopping}.
     *
     * @param frames of the run, from the first one on
     */
    public void view(LiveRun run, Latest frames) {
        boolean changed = true;
        while (!quit && !window.closed() && !run.stopping()) {
            long wait = Math.max(0, drawn + NANOS_BETWEEN_FRAMES - System.nanoTime());
            for (Input input : window.await(Duration.ofNanos(changed ? wait : NANOS_BETWEEN_FRAMES))) {
                layout().ifPresent(layout -> on(input, layout));
                changed = true;
            }
            Optional<Frame> frame = frames.take();
            frame.ifPresent(this::add);
            if (recorder.filter(Recorder::hasEnded).isPresent()) {
                endRecording();
                changed = true;
            }
            changed |= frame.isPresent() | window.takeExposed() | noticeEnds();
            if (changed && System.nanoTime() - drawn >= NANOS_BETWEEN_FRAMES && layout().isPresent()) {
                draw(layout().get());
                changed = false;
            }
        }
    }

    private void add(Frame frame) {
        text.add(frame);
        frame.chosen().ifPresent(interaction::follow);
        recorder.ifPresent(file -> file.accept(frame));
    }

    /** Empty while the window is minimised. */
    private Optional<ScreenLayout> layout() {
        int width = window.width();
        int height = window.height();
        return width == 0 || height == 0 ? Optional.empty()
                : Optional.of(ScreenLayout.of(width, height, window.scale(), text.source()));
    }

    private void on(Input input, ScreenLayout layout) {
        interaction.on(input, layout, (view, x, y) -> screen.pick(view, layout, x, y)).ifPresent(this::act);
    }

    private void act(Desk action) {
        switch (action) {
            case QUIT -> quit = true;
            case RECORD -> record();
            case PICTURE -> picture();
            case EDIT_PROMPT -> { }
        }
    }

    /** Draws at print quality, in another thread with an OpenGL context of its own, while the window goes on. */
    private void picture() {
        if (text.tokens().isEmpty()) {
            return;
        }
        if (pictures.stream().anyMatch(Thread::isAlive)) {
            say("a picture is being drawn: wait until it is written");
            return;
        }
        Figure figure = LivePicture.of(text, interaction.view());
        Path file = folder.resolve("live-" + LocalDateTime.now().format(Recorder.TIME) + ".png");
        pictures.add(Thread.ofPlatform().name("picture").start(() -> {
            try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
                Files.createDirectories(folder);
                renderer.write(figure, file, OffscreenRenderer.DEFAULT_DPI, Map.of());
                say("written: " + file);
            } catch (IOException refused) {
                say("no picture: %s cannot be created".formatted(folder));
            } catch (RenderUnavailableException | IllegalArgumentException | UncheckedIOException refused) {
                say("no picture: " + refused.getMessage());
            } catch (RuntimeException | OutOfMemoryError problem) {
                say("no picture: " + problem);
            }
        }));
    }

    private void record() {
        if (recorder.isPresent()) {
            endRecording();
            say("the recording is complete");
        } else if (text.frame().isPresent()) {
            try {
                Recorder begun = Recorder.begin(folder, text, this::say);
                recorder = Optional.of(begun);
                say("recording to " + begun.file());
            } catch (UncheckedIOException refused) {
                say(refused.getMessage());
            }
        }
        interaction.setRecording(recorder.isPresent());
    }

    private void endRecording() {
        Optional<Recorder> ended = recorder;
        recorder = Optional.empty();
        interaction.setRecording(false);
        try {
            ended.ifPresent(Recorder::close);
        } catch (UncheckedIOException problem) {
            say(problem.getMessage());
        }
    }

    /** Shows one line for a while. May be called by any thread. */
    private synchronized void say(String line) {
        notice = line;
        noticed = System.nanoTime();
    }

    private synchronized String notice() {
        return notice;
    }

    private synchronized boolean noticeEnds() {
        boolean ends = !notice.isEmpty() && System.nanoTime() - noticed > NOTICE.toNanos();
        notice = ends ? "" : notice;
        return ends;
    }

    private static void await(Thread picture) {
        try {
            picture.join();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void draw(ScreenLayout layout) {
        drawn = System.nanoTime();
        ScreenStatus status = new ScreenStatus(frameMillis, interaction.pointer(layout), notice(), run.status());
        screen.draw(interaction.view(), status, layout, interaction.parts(layout));
        window.finish();
        double millis = (System.nanoTime() - drawn) / 1e6;
        frameMillis = Double.isNaN(frameMillis) ? millis : 0.9 * frameMillis + 0.1 * millis;
        window.show();
    }

    @Override
    public void close() {
        endRecording();
        screen.close();
        window.close();
        pictures.forEach(WindowViewer::await);
    }
}
