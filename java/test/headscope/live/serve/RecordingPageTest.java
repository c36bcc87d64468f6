package headscope.live.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Browser;
import headscope.live.FrameStream;
import headscope.live.LiveRun;
import headscope.live.Replay;
import headscope.live.SourceStatus;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameFileWriter;
import headscope.result.frame.RandomFrames;
import headscope.result.frame.RecordedFrame;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A recording that is played on the page in Chromium. */
final class RecordingPageTest {
    private static final long NANOS_PER_FRAME = 100_000_000;

    private static Browser browser;

    @TempDir
    private Path folder;

    private final List<Frame> frames = new RandomFrames(new Random(3)).stream();
    private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>(List.of(new Command.Pause()));

    @BeforeAll
    static void open() {
        browser = Browser.open(1280, 943);
    }

    @AfterAll
    static void close() {
        browser.close();
    }

    private Path recording() {
        Path file = folder.resolve("recording");
        try (FrameFileWriter writer = FrameFileWriter.create(file, RandomFrames.SOURCE)) {
            for (int i = 0; i < frames.size(); i++) {
                writer.write(new RecordedFrame(NANOS_PER_FRAME * i, frames.get(i)));
            }
        }
        return file;
    }

    private static void awaitTokens(int tokens) {
        browser.awaitText("status", text -> text.matches("(plays .* as recorded)?%d tokens.*".formatted(tokens)));
    }

    private static boolean visible(String id) {
        return (Boolean) browser.script("return document.getElementById(arguments[0]).offsetParent !== null", id);
    }

    /** The curve begins where the text began, wherever the viewer has moved to. */
    private static void assertCurveBeginsAt(int tokens) {
        browser.hover("spectrum", 0.5, 0.5);
        browser.hover("curve", 0.05, 0.5);
        browser.awaitText("curve-hover", text -> text.startsWith("after %d tokens: ".formatted(tokens)));
    }

    @Test
    void aViewerPausesStepsMovesAndChangesTheSpeed() {
        FrameStream stream = new FrameStream(RandomFrames.SOURCE.asRecorded(), commands::add);
        try (PageServer server = PageServer.open(ServeAddress.parse("0"), AccessToken.random());
                Replay replay = new Replay(recording(), 1, stream, commands);
                LiveRun run = serve(server, stream, replay)) {
            browser.visit(server.url());
            browser.awaitText("source", text -> text.startsWith("recording of random"));
            for (String id : List.of("back", "ahead", "slower", "faster", "picture")) {
                assertEquals(true, visible(id), id);
            }
            for (String id : List.of("record", "prompt", "end")) {
                assertEquals(false, visible(id), id);
            }
            browser.type(".");
            awaitTokens(3);
            browser.type(".");
            awaitTokens(4);
            browser.type("]");
            awaitTokens(12);
            browser.awaitText("state", "paused"::equals);
            assertCurveBeginsAt(3);
            browser.clickOn("#back");
            awaitTokens(3);
            browser.type(".", ".");
            awaitTokens(5);
            assertCurveBeginsAt(3);
            browser.click("atlas", 2.5 / 3, 0.5 / 2);
            browser.awaitText("status", text -> text.startsWith("the map of layer 0, head 2 was not recorded"));
            assertEquals("Layer 1, head 0", browser.text("map-title"));
            browser.type("+");
            browser.awaitText("status", text -> text.startsWith("playing 2.0 times as fast as recorded"));
            browser.clickOn("#slower");
            browser.awaitText("status", text -> text.startsWith("playing 1.0 times as fast as recorded"));
            browser.type("r", "e");
            assertEquals(false, browser.script("return document.getElementById('prompt-dialog').open"));
            browser.type(" ");
            browser.awaitText("state", "ended"::equals);
            browser.awaitText("text", text -> text.startsWith("t0t1t2"));
            assertEquals("100%", browser.script("return document.getElementById('played').style.width"));
            assertEquals(List.of(), browser.complaints());
            assertEquals(false, run.ended());
            browser.visit("about:blank");
        }
    }

    private static LiveRun serve(PageServer server, FrameStream stream, Replay replay) {
        server.serve(stream, stream.subscribe(), "", Path.of("target/recordings"), () -> SourceStatus.played(replay.played()));
        return new LiveRun(stream, new LiveRun.Producer() {
            @Override
            public void run() throws InterruptedException {
                replay.run(0, true);
            }

            @Override
            public void abandon() {}
        });
    }
}
