package headscope.live.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.result.SampleRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code view} with the figures of a run in a window on a virtual display. */
final class FigureViewerTest {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 800;
    private static final int SECONDS = 120;

    /** Equal readings, 100 ms apart, of a picture that is complete. */
    private static final int STABLE = 10;

    @TempDir
    Path folder;

    /** Colours of pixels on the diagonal of the screen. */
    private static List<Integer> colors(VirtualDisplay display) throws IOException {
        List<Integer> colors = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            colors.add(display.pixel(WIDTH * i / 40, HEIGHT * i / 40));
        }
        return colors;
    }

    /** Waits until the screen shows something else, which stays: it is read while the window draws. */
    private static List<Integer> after(List<Integer> before, VirtualDisplay display) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        List<Integer> now = before;
        for (int same = 0; same < STABLE; ) {
            assertTrue(System.nanoTime() < end, "nothing changes");
            Thread.sleep(100);
            List<Integer> next = colors(display);
            same = next.equals(now) && !next.equals(before) ? same + 1 : 0;
            now = next;
        }
        return now;
    }

    @Test
    void arrowKeysChangeBetweenTheFiguresOfARun() throws Exception {
        Path run = folder.resolve("run");
        SampleRuns.commit(run, SampleRuns.gates()::write);
        try (VirtualDisplay display = VirtualDisplay.start(Files.createDirectory(folder.resolve("screen")), WIDTH, HEIGHT)) {
            List<Integer> empty = colors(display);
            Process program = ChildJvm.start(folder, Map.of("DISPLAY", display.name(), "WAYLAND_DISPLAY", ""),
                    List.of("headscope.Main", "view", run.toString()));
            try {
                List<Integer> scores = after(empty, display);
                assertTrue(display.xdotool("search", "--name", "Headscope: gates").matches("\\d+"));
                display.xdotool("key", "Right");
                List<Integer> check = after(scores, display);
                display.xdotool("key", "Left");
                assertEquals(scores, after(check, display));
                display.xdotool("key", "q");
                assertTrue(program.waitFor(SECONDS, TimeUnit.SECONDS));
                assertEquals(0, program.exitValue());
            } finally {
                program.destroyForcibly();
            }
        }
    }
}
