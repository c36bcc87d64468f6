package headscope.live.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Browser;
import headscope.Patience;
import headscope.live.Camera;
import headscope.live.FrameStream;
import headscope.live.SourceStatus;
import headscope.live.screen.GridGeometry;
import headscope.live.screen.ScreenLayout;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.RandomFrames;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/** The page in Chromium without WebGL: the server draws. */
final class ImagePageTest {
    private static Browser browser;

    private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final FrameStream stream = new FrameStream(RandomFrames.SOURCE, commands::add);
    private final List<Frame> frames = new RandomFrames(new Random(5)).stream();
    private final PageServer server = PageServer.open(ServeAddress.parse("0"), AccessToken.random());

    @BeforeAll
    static void open() {
        browser = Browser.open(900, 743, "--disable-gpu", "--disable-3d-apis");
    }

    @AfterAll
    static void close() {
        browser.close();
    }

    @AfterEach
    void end() {
        browser.visit("about:blank");
        browser.complaints();
        server.close();
    }

    private void visit() {
        server.serve(stream, stream.subscribe(), "a prompt", Path.of("target/recordings"), () -> SourceStatus.NONE);
        frames.subList(0, 3).forEach(stream);
        browser.visit(server.url());
        browser.awaitTrue("return document.getElementById('screen').width === innerWidth");
    }

    private Command command() throws InterruptedException {
        return commands.poll(Patience.SECONDS, TimeUnit.SECONDS);
    }

    private static int side(String name) {
        return ((Number) browser.script("return document.getElementById('screen').%s".formatted(name))).intValue();
    }

    @Test
    void imagesFollowTheTextAndTheMouse() throws InterruptedException, IOException {
        visit();
        assertEquals(0L, browser.script("return document.querySelectorAll('main canvas').length && document.querySelector('main').offsetHeight"));
        String before = browser.pixels("screen");
        stream.accept(frames.get(3));
        browser.awaitOtherPixels("screen", before);
        ScreenLayout layout = ScreenLayout.of(side("width"), side("height"), 1, RandomFrames.SOURCE);
        GridGeometry grid = layout.grid(RandomFrames.SOURCE, Camera.WHOLE);
        double x = (grid.left(2) + grid.pitch() / 3) / layout.width();
        double y = (grid.top(0) + grid.pitch() / 3) / layout.height();
        String still = browser.pixels("screen");
        browser.hover("screen", x, y);
        browser.awaitOtherPixels("screen", still);
        browser.screenshot(Path.of("target/image-page.png"));
        browser.click("screen", x, y);
        assertEquals(new Command.Pick(0, 2), command());
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    void keysDoWhatTheyDoInAWindow() throws InterruptedException {
        visit();
        browser.type(".");
        assertEquals(new Command.Step(), command());
        browser.type(" ");
        assertEquals(new Command.Pause(), command());
        browser.type(Keys.ARROW_RIGHT);
        assertEquals(new Command.Pick(1, 1), command());
        for (String key : List.of("c", "l", "s", "m", "h")) {
            String before = browser.pixels("screen");
            browser.type(key);
            browser.awaitOtherPixels("screen", before);
        }
        browser.type("h", "q");
        browser.awaitTrue("return document.getElementById('stop-dialog').open");
        browser.clickOn("button[value=stop]");
        assertEquals(new Command.Stop(), command());
    }

    /** A smaller image, or one that another thread decodes, may be decoded before the one that came first. */
    @Test
    void imagesMayBeDecodedInAnotherOrder() {
        visit();
        browser.script("""
                window.decoded = 0;
                const decode = createImageBitmap;
                let release;
                const released = new Promise(now => release = now);
                window.createImageBitmap = async file => {
                  const number = ++window.decoded;
                  const image = await decode(file);
                  await (number === 1 ? released : setTimeout(release));
                  return image;
                };
                window.WebSocket = class extends WebSocket {
                  constructor(address) {
                    super(address);
                    window.again = true;
                  }
                };""");
        for (int image = 1; image <= 3; image++) {
            stream.accept(frames.get(2 + image));
            browser.awaitTrue("return window.decoded >= %d".formatted(image));
        }
        assertEquals(null, browser.script("return window.again"), "the connection stays");
    }

    @Test
    void aPictureForPrintIsAFile(@TempDir Path folder) throws IOException {
        visit();
        browser.type("p");
        assertTrue(ImageIO.read(browser.download(folder).toFile()).getWidth() > 1000);
    }
}
