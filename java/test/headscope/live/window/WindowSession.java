package headscope.live.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.Patience;
import headscope.live.Camera;
import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.screen.GridGeometry;
import headscope.live.screen.OffscreenLive;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus;
import headscope.live.screen.ScreenStatus.Mouse;
import headscope.render.Box;
import headscope.render.Image;
import headscope.render.PngFile;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.FrameSource;
import headscope.result.frame.RecordedFrame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The program with its window on a virtual display, and the user in front of it. What reaches the model is read from the
 * recording that the user begins with R.
 */
final class WindowSession implements AutoCloseable {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 800;

    /** A lower bound: the first frame holds the maps of all heads. */
    private static final int FIRST_FRAME_BYTES = 100_000;

    final VirtualDisplay display;
    final Process program;
    private final Path folder;
    private final int scale;

    private WindowSession(VirtualDisplay display, Process program, Path folder, int scale) {
        this.display = display;
        this.program = program;
        this.folder = folder;
        this.scale = scale;
    }

    /**
     * Starts the program.
     *
     * @param scale   pixels per unit of 1/96 inch
     * @param command and its options
     */
    static WindowSession start(Path folder, int scale, String... command) throws IOException, InterruptedException {
        VirtualDisplay display =
                VirtualDisplay.start(Files.createDirectory(folder.resolve("screen")), scale * WIDTH, scale * HEIGHT);
        display.setDpi(scale * 96);
        Process program = ChildJvm.start(folder, Map.of("DISPLAY", display.name(), "WAYLAND_DISPLAY", ""), Stream.concat(
                Stream.of("headscope.Main"),
                Stream.of(command)).toList());
        return new WindowSession(display, program, folder, scale);
    }

    /** Waits for the window. @return its X11 number */
    long window() throws IOException, InterruptedException {
        await("window", () -> !display.xdotool("search", "--name", "Headscope live").isEmpty());
        hurry();
        return Long.parseLong(display.xdotool("search", "--name", "Headscope live").lines().findFirst().orElseThrow());
    }

    /**
     * Lets the window's threads run like others, to which they give way: a busy machine starves them. Not allowed to every
     * user; then the test takes as long as it takes.
     */
    private void hurry() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("renice", "-n", "0", "-p"));
        try (Stream<Path> threads = Files.list(Path.of("/proc", String.valueOf(program.pid()), "task"))) {
            threads.forEach(thread -> command.add(thread.getFileName().toString()));
        }
        new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    void await(String what, Condition condition) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Patience.SECONDS);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end, () -> "no " + what + ": " + errors());
            assertTrue(program.isAlive(), () -> "the program has ended before " + what + ": " + errors());
            Thread.sleep(100);
        }
    }

    /** What the program has written to standard error. */
    String errors() {
        try {
            return Files.readString(folder.resolve("err.txt"));
        } catch (IOException none) {
            return none.toString();
        }
    }

    void assertEnds(int status) throws InterruptedException {
        assertTrue(program.waitFor(Patience.SECONDS, TimeUnit.SECONDS), "the program goes on");
        assertEquals(status, program.exitValue(), this::errors);
    }

    void key(String... names) throws IOException, InterruptedException {
        for (String name : names) {
            display.xdotool("key", name);
        }
    }

    void moveMouse(Mouse to) throws IOException, InterruptedException {
        display.xdotool("mousemove", String.valueOf((int) to.x()), String.valueOf((int) to.y()));
    }

    /** Turns the wheel, away from the user if positive. */
    void wheel(int steps) throws IOException, InterruptedException {
        display.xdotool("click", "--repeat", String.valueOf(Math.abs(steps)), "--delay", "5", steps > 0 ? "4" : "5");
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, String.valueOf(program.pid())).start().waitFor();
    }

    interface Hands {
        void act() throws IOException, InterruptedException;
    }

    /** What the user does comes to the program later, all at once. */
    void whileBusy(Hands hands) throws IOException, InterruptedException {
        signal("STOP");
        hands.act();
        signal("CONT");
    }

    static FrameSource demo() {
        return new FrameSource("demo", "", 12, 12, true, List.of(), 64, "maximum", 1);
    }

    ScreenLayout layout() {
        return ScreenLayout.of(scale * WIDTH, scale * HEIGHT, scale, demo());
    }

    /** A pixel of a head's map, below its diagonal. */
    Mouse head(int layer, int head) {
        GridGeometry grid = layout().grid(demo(), Camera.WHOLE);
        return new Mouse(Math.floor(grid.left(head + 0.2)), Math.floor(grid.top(layer + 0.6)));
    }

    /** Waits for the first tokens, and begins a recording. */
    void record() throws IOException, InterruptedException {
        window();
        Box panel = layout().gridPanel();
        Mouse map = head(0, 0);
        await("map", () -> pixel(map.x(), map.y()) != pixel(panel.x() + 2, panel.y() + 2)
                && pixel(panel.x() + 2, panel.y() + 2) != pixel(0, 0)); // the panel is drawn, and over it a map
        hurry();
        key("r");
        await("recording", () -> recording().isPresent() && Files.size(recording().get()) > FIRST_FRAME_BYTES);
    }

    int pixel(double x, double y) throws IOException {
        Image image = display.image();
        return image.argb()[(int) y * image.width() + (int) x];
    }

    /** Pauses the model and waits until it does. */
    void pause() throws IOException, InterruptedException {
        key("space");
        await("pause", () -> newest().state() == State.PAUSED);
    }

    /**
     * Waits until the grid, the map and the text look as they do without a window.
     *
     * @param view  of what is recorded, which must not grow any more
     * @param mouse where it is
     */
    void awaitView(String what, ViewState view, Mouse mouse) throws IOException, InterruptedException {
        Image expected = expected(view, mouse);
        List<Box> panels = List.of(layout().gridPanel(), layout().mapPanel(), layout().text());
        try {
            await(what, () -> {
                Image seen = display.image();
                return panels.stream().allMatch(panel -> SameImage.in(expected, panel.x(), panel.y(), seen, panel));
            });
        } catch (AssertionError failure) {
            PngFile.write(Path.of("target/window-expected.png"), expected, 96, Map.of());
            PngFile.write(Path.of("target/window-seen.png"), display.image(), 96, Map.of());
            throw failure;
        }
    }

    private Image expected(ViewState view, Mouse mouse) throws IOException {
        try (FrameFileReader reader = FrameFileReader.open(recording().orElseThrow())) {
            LiveText text = new LiveText(reader.source());
            frames().forEach(text::add);
            try (OffscreenLive screen = OffscreenLive.open(text)) {
                return screen.image(view, new ScreenStatus(Double.NaN, Optional.of(mouse), ""), scale * WIDTH, scale * HEIGHT, scale);
            }
        }
    }

    private Optional<Path> recording() throws IOException {
        Path out = folder.resolve("out");
        if (!Files.exists(out)) {
            return Optional.empty();
        }
        try (Stream<Path> files = Files.list(out)) {
            return files.findFirst();
        }
    }

    List<Frame> frames() throws IOException {
        List<Frame> frames = new ArrayList<>();
        try (FrameFileReader reader = FrameFileReader.open(recording().orElseThrow())) {
            for (Optional<RecordedFrame> next = reader.next(); next.isPresent(); next = reader.next()) {
                frames.add(next.get().frame());
            }
        }
        return frames;
    }

    Frame newest() throws IOException {
        return frames().getLast();
    }

    @Override
    public void close() {
        program.destroyForcibly();
        display.close();
    }
}
