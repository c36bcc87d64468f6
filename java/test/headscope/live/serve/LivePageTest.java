package headscope.live.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Browser;
import headscope.Patience;
import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.FrameStream;
import headscope.live.LiveRun;
import headscope.live.SourceStatus;
import headscope.live.screen.KeyHelp;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameFileReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/** The page in Chromium, which shows the demo's model while it runs. */
final class LivePageTest {
    private static final Path MODEL = Path.of("models/demo");
    private static final String PROMPT = "the capital of boria is birch . the capital of boria is";
    private static final int NEW_TOKENS = 24;
    private static final AccessToken TOKEN = AccessToken.random();

    private static Backend backend;
    private static Transformer model;
    private static Tokenizer tokenizer;
    private static Browser browser;

    private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final BlockingQueue<Command> received = new LinkedBlockingQueue<>();
    private final FrameStream stream = new FrameStream(Watch.source(model, request(), "demo <b>"), command -> {
        received.add(command);
        commands.add(command);
    });
    private final AtomicInteger frames = new AtomicInteger();
    private final AtomicInteger tokens = new AtomicInteger();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Watch watch = new Watch(model, tokenizer, request(), "demo <b>", frame -> {
        frames.incrementAndGet();
        tokens.set(frame.end());
        stream.accept(frame);
        if (frame.state() == State.ENDED) {
            ended.countDown();
        }
    }, commands);
    private final PageServer server = PageServer.open(ServeAddress.parse("0"), TOKEN);
    private LiveRun run;

    private static WatchRequest request() {
        return new WatchRequest(WatchRequest.METRICS, 64, Sampler.GREEDY, NEW_TOKENS, 0);
    }

    @BeforeAll
    static void open() {
        backend = Backend.open("cpu");
        try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
            tokenizer = Tokenizer.open(MODEL, checkpoint.config());
            model = new Transformer(checkpoint, backend);
        }
        browser = Browser.open(1280, 943);
    }

    @AfterAll
    static void close() {
        browser.close();
        model.close();
        tokenizer.close();
        backend.close();
    }

    @AfterEach
    void end() {
        browser.visit("about:blank");
        browser.complaints();
        server.close();
        run.close();
    }

    /** Pauses before the first new token. */
    private void start() {
        server.serve(stream, stream.subscribe(), PROMPT, Path.of("target/recordings"), () -> SourceStatus.NONE);
        commands.add(new Command.Pause());
        run = new LiveRun(stream, new LiveRun.Producer() {
            @Override
            public void run() throws InterruptedException {
                watch.run(PROMPT, true);
            }

            @Override
            public void abandon() {
                watch.abandon();
            }
        });
    }

    private int promptTokens() {
        return tokenizer.encodePrompt(PROMPT).length;
    }

    /** @return number of tokens on show */
    private int awaitPaused() {
        browser.awaitText("state", "paused"::equals);
        awaitTokens(tokens.get());
        return tokens.get();
    }

    private static void awaitTokens(int tokens) {
        browser.awaitText("status", text -> text.startsWith(tokens + " tokens"));
    }

    @Test
    void thePageShowsEveryToken() throws InterruptedException, IOException {
        start();
        browser.visit(server.url());
        int paused = awaitPaused();
        assertEquals("Layer 0, head 0", browser.text("map-title"));
        assertTrue(browser.text("source").startsWith("demo <b> · 12 layers x 12 heads"), browser.text("source"));
        String before = browser.pixels("atlas");
        String map = browser.pixels("cells");
        browser.type(".");
        awaitTokens(paused + 1);
        assertNotEquals(before, browser.pixels("atlas"));
        assertNotEquals(map, browser.pixels("cells"));
        browser.type(" ");
        assertTrue(ended.await(Patience.SECONDS, TimeUnit.SECONDS));
        awaitTokens(tokens.get());
        browser.awaitText("state", "ended"::equals);
        assertEquals(tokens.get(), ((Number) browser.script(
                "return document.querySelectorAll('#text span').length")).intValue());
        browser.screenshot(Path.of("target/live-page.png"));
        assertEquals(List.of(), browser.complaints());
        assertEquals(List.of(new Command.Step(), new Command.Resume()), List.copyOf(received));
    }

    @Test
    void clicksAndKeysChooseAHead() throws InterruptedException {
        start();
        browser.visit(server.url());
        awaitPaused();
        browser.click("atlas", 5.4 / 12, 3.4 / 12);
        assertEquals(new Command.Pick(3, 5), received.poll(Patience.SECONDS, TimeUnit.SECONDS));
        browser.awaitText("map-title", "Layer 3, head 5"::equals);
        browser.type(Keys.ARROW_DOWN);
        assertEquals(new Command.Pick(4, 5), received.poll(Patience.SECONDS, TimeUnit.SECONDS));
        browser.type(Keys.ARROW_LEFT);
        assertEquals(new Command.Pick(4, 4), received.poll(Patience.SECONDS, TimeUnit.SECONDS));
        browser.hover("atlas", 0.01 / 12, 2.01 / 12);
        browser.awaitText("grid-hover", "layer 2, head 0: <bos> (0) attends to <bos> (0), p = 1"::equals);
        browser.hover("cells", 0.001, 0.001);
        browser.awaitText("map-hover", "<bos> (0) attends to <bos> (0), p = 1"::equals);
        String maps = browser.pixels("atlas");
        browser.clickOn("#text span:nth-child(4)");
        browser.awaitText("grid-title", "Attention that of (3) pays"::equals);
        browser.clickOn("#text span:nth-child(4)");
        browser.awaitText("grid-title", "Attention that of (3) gets"::equals);
        browser.clickOn("#text span:nth-child(4)");
        browser.awaitText("grid-title", "All heads"::equals);
        browser.type("l");
        browser.awaitText("grid-title", _ -> !browser.pixels("atlas").equals(maps));
        browser.type("m");
        browser.awaitText("grid-title", "attention score (nats)"::equals);
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    void theListOfKeysIsThatOfTheWindow() {
        start();
        browser.visit(server.url());
        awaitPaused();
        browser.type("h");
        assertEquals(true, browser.script("return document.getElementById('help-dialog').open"));
        assertEquals(KeyHelp.ALL.stream().map(KeyHelp::hands).sorted().toList(), browser.script(
                "return [...document.querySelectorAll('#help-dialog th')].map(cell => cell.textContent)"
                        + ".filter(key => key !== 'hover').sort()"));
        assertEquals(List.of("[ ]", "- +"), browser.script(
                "return [...document.querySelectorAll('#help-dialog tr')].filter(row => row.offsetParent === null)"
                        + ".map(row => row.firstChild.textContent)"));
    }

    @Test
    void thePromptIsEditedAsPlainText() throws InterruptedException {
        start();
        browser.visit(server.url());
        awaitPaused();
        browser.type("e");
        assertEquals(PROMPT, browser.script("return document.getElementById('prompt-text').value"));
        browser.write("prompt-text", "the capital <img src=x onerror=alert(1)>");
        browser.clickOn("button[value=restart]");
        assertEquals(new Command.Restart("the capital <img src=x onerror=alert(1)>"), received.poll(Patience.SECONDS, TimeUnit.SECONDS));
        browser.awaitText("text", text -> text.startsWith("<bos>the"));
        assertEquals(0L, browser.script("return document.querySelectorAll('#text img').length"));
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    void whatThePolicyForbidsDoesNotRun() {
        start();
        browser.visit(server.url());
        awaitPaused();
        assertEquals(List.of(), browser.complaints());
        assertEquals(false, browser.script(
                """
                const script = document.createElement('script');
                script.textContent = 'window.injected = true';
                document.body.append(script);
                return window.injected ?? false;
                """));
        assertTrue(browser.complaints().stream().anyMatch(line -> line.contains("Content Security Policy")));
    }

    @Test
    void aWrongTokenIsToldToTheUser() {
        start();
        browser.visit(server.url().replaceFirst("#.*", "#wrong"));
        browser.awaitText("notice", text -> text.startsWith("The server refuses this address: open the address"));
        browser.visit("about:blank");
        browser.visit(server.url().replaceFirst("#.*", ""));
        browser.awaitText("notice", text -> text.startsWith("The token is missing from the address"));
        assertEquals(0, server.viewers());
    }

    /** A picture of what is seen arrives as a file, and the server records. */
    @Test
    void picturesAndRecordingsAreMade(@TempDir Path folder) throws Exception {
        start();
        browser.visit(server.url());
        int paused = awaitPaused();
        browser.type("p");
        Path picture = browser.download(folder);
        assertTrue(picture.getFileName().toString().matches("live-\\d{8}-\\d{6}-\\d{3}\\.png"), picture.toString());
        assertTrue(ImageIO.read(picture.toFile()).getWidth() > 2000);
        browser.type("r");
        browser.awaitText("notice", text -> text.startsWith("recording to target/recordings/live-"));
        assertEquals("true", browser.script("return document.getElementById('record').ariaPressed"));
        Path recording = Path.of(browser.text("notice").substring("recording to ".length()));
        browser.type(".");
        awaitTokens(paused + 1);
        browser.type("r");
        browser.awaitText("notice", ("recorded: " + recording)::equals);
        try (FrameFileReader file = FrameFileReader.open(recording)) {
            Frame first = file.next().orElseThrow().frame();
            assertEquals(paused, first.end());
            assertEquals(12, first.atlas().size());
            assertEquals(paused + 1, file.next().orElseThrow().frame().end());
        }
        Files.delete(recording);
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    void theModelDoesNotWaitForAFrozenPage() throws Exception {
        start();
        browser.visit(server.url());
        awaitPaused();
        List<ProcessHandle> renderers = browser.renderers();
        assertFalse(renderers.isEmpty());
        signal("STOP", renderers);
        try {
            int before = frames.get();
            commands.add(new Command.Resume());
            assertTrue(ended.await(Patience.SECONDS, TimeUnit.SECONDS));
            assertTrue(frames.get() - before >= tokens.get() - promptTokens() - 1, frames.get() - before + " frames");
            assertTrue(tokens.get() > promptTokens() + NEW_TOKENS / 2, tokens.get() + " tokens");
            assertEquals(1, server.viewers());
        } finally {
            signal("CONT", renderers);
        }
        awaitTokens(tokens.get());
        browser.awaitText("status", text -> text.matches(".*[1-9][0-9]* frames? dropped.*"));
        assertEquals(List.of(), browser.complaints());
    }

    private static void signal(String name, List<ProcessHandle> processes) throws Exception {
        for (ProcessHandle process : processes) {
            new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).inheritIO().start().waitFor();
        }
    }

    @Test
    void aKilledServerIsToldAndComesBack() throws Exception {
        start();
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Process process = serveDemo(port);
        try {
            browser.visit("http://127.0.0.1:%d/#%s".formatted(port, TOKEN.text()));
            browser.awaitText("state", "ended"::equals);
            process.destroyForcibly().waitFor();
            browser.awaitText("state", "no connection"::equals);
            browser.awaitText("notice", text -> text.startsWith("The server is gone"));
            process = serveDemo(port);
            browser.awaitText("state", "ended"::equals);
            assertEquals("", browser.text("notice"));
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** @return once the page is served */
    private static Process serveDemo(int port) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                "--add-modules", "jdk.incubator.vector", "--sun-misc-unsafe-memory-access=allow", "-Xmx1g",
                "-cp", System.getProperty("java.class.path"), "headscope.Main", "live", "--demo", "--device", "cpu",
                "--serve", String.valueOf(port), "--max-new-tokens", "2")
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put(AccessToken.VARIABLE, TOKEN.text());
        Process process = builder.start();
        assertEquals("Open http://127.0.0.1:%d/#%s".formatted(port, TOKEN.text()), process.inputReader().readLine());
        return process;
    }
}
