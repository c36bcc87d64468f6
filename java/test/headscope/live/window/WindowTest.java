package headscope.live.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.live.Camera;
import headscope.live.screen.GridGeometry;
import headscope.live.screen.ScreenLayout;
import headscope.result.frame.ChosenHead;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command {@code live} with its window on a virtual display. A user presses keys and moves the mouse; what reaches the
 * model is read from the recording that the user begins with R.
 */
final class WindowTest {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 800;
    private static final int SECONDS = 120;

    /** A lower bound: the first frame holds the maps of all heads. */
    private static final int FIRST_FRAME_BYTES = 100_000;

    private static final String PROMPT = "the capital of boria is birch . the capital of cania is cedar . the capital of boria is";

    @TempDir
    Path folder;

    private VirtualDisplay display;
    private Process program;
    private String window;

    @BeforeEach
    void open() throws IOException, InterruptedException {
        display = VirtualDisplay.start(Files.createDirectory(folder.resolve("screen")), WIDTH, HEIGHT);
        program = live(display.name());
        await("a window", () -> !(window = display.xdotool("search", "--name", "Headscope live")).isEmpty());
        await("the first tokens", () -> pixelsDiffer(new int[] {0, 0}, gridPixel(0, 0)));
    }

    @AfterEach
    void close() {
        program.destroyForcibly();
        display.close();
    }

    private Process live(String on) throws IOException {
        return ChildJvm.start(folder, Map.of("DISPLAY", on, "WAYLAND_DISPLAY", ""), List.of(
                "headscope.Main", "live", "--model", "models/demo", "--prompt", PROMPT, "--rate", "4", "--device", "cpu",
                "--pictures", folder.resolve("out").toString()));
    }

    private interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private void await(String what, Condition condition) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end, () -> "no " + what + ": " + errors());
            assertTrue(program.isAlive(), () -> "the program has ended before " + what + ": " + errors());
            Thread.sleep(50);
        }
    }

    private String errors() {
        try {
            return Files.readString(folder.resolve("err.txt"));
        } catch (IOException none) {
            return none.toString();
        }
    }

    /** The middle of a head's cell. */
    private static int[] gridPixel(int layer, int head) {
        FrameSource demo = new FrameSource("demo", "", 12, 12, true, List.of(), 64, "maximum", 1);
        GridGeometry grid = ScreenLayout.of(WIDTH, HEIGHT, 1, demo).grid(demo, Camera.WHOLE);
        return new int[] {(int) grid.left(head + 0.2), (int) grid.top(layer + 0.6)};
    }

    private boolean pixelsDiffer(int[] one, int[] other) throws IOException {
        return display.pixel(one[0], one[1]) != display.pixel(other[0], other[1]);
    }

    private void key(String... names) throws IOException, InterruptedException {
        for (String name : names) {
            display.xdotool("key", name);
        }
    }

    /** Begins a recording. */
    private void record() throws IOException, InterruptedException {
        key("r");
        await("recording", () -> recording().isPresent() && Files.size(recording().get()) > FIRST_FRAME_BYTES);
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

    private List<Frame> frames() throws IOException {
        List<Frame> frames = new ArrayList<>();
        try (FrameFileReader reader = FrameFileReader.open(recording().orElseThrow())) {
            for (Optional<RecordedFrame> next = reader.next(); next.isPresent(); next = reader.next()) {
                frames.add(next.get().frame());
            }
        }
        return frames;
    }

    private Frame newest() throws IOException {
        return frames().getLast();
    }

    @Test
    void keysAndMouseReachTheModelAndTheView() throws IOException, InterruptedException {
        record();
        key("space");
        await("pause", () -> newest().state() == State.PAUSED);
        int tokens = newest().end();
        Thread.sleep(1000); // four tokens at this rate
        assertEquals(tokens, newest().end(), "tokens come while the model is paused");

        key("period");
        await("step", () -> newest().end() == tokens + 1 && newest().state() == State.PAUSED);

        int[] head = gridPixel(7, 4);
        display.xdotool("mousemove", String.valueOf(head[0]), String.valueOf(head[1]), "click", "1");
        await("chosen head", () -> newest().chosen().map(WindowTest::place).equals(Optional.of("7, 4")));
        key("Right");
        await("next head", () -> newest().chosen().map(WindowTest::place).equals(Optional.of("7, 5")));

        int dark = display.pixel(2, HEIGHT / 2);
        key("d");
        await("light screen", () -> display.pixel(2, HEIGHT / 2) != dark);

        key("e");
        display.xdotool("type", "the capital");
        key("Return");
        await("another text", () -> newest().text() == 1 && newest().state() == State.RUNNING);
        assertEquals(0, frames().stream().filter(frame -> frame.text() == 1).findFirst().orElseThrow().firstToken());

        key("q");
        assertEnds();
    }

    private static String place(ChosenHead chosen) {
        return chosen.layer() + ", " + chosen.head();
    }

    @Test
    void closingTheWindowEndsTheModel() throws IOException, InterruptedException {
        display.close(Long.parseLong(window.lines().findFirst().orElseThrow()));
        assertEnds();
    }

    @Test
    void aSignalEndsTheModel() throws InterruptedException {
        program.destroy(); // SIGTERM; a shell that runs the tests in the background lets them ignore SIGINT, or Ctrl-C
        assertEnds();
    }

    private void assertEnds() throws InterruptedException {
        assertTrue(program.waitFor(SECONDS, TimeUnit.SECONDS), "the program goes on");
        assertEquals(0, program.exitValue(), this::errors);
    }
}
