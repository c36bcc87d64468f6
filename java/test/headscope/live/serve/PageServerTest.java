package headscope.live.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.Patience;
import headscope.live.FrameStream;
import headscope.live.LiveText;
import headscope.live.SourceStatus;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.RandomFrames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page's server, without a browser: who is let in, what limits hold, and what slow viewers miss. */
final class PageServerTest {
    private static final AccessToken TOKEN = AccessToken.random();
    private static final String PROMPT = "a prompt";
    private static final String PICTURE = "{\"type\":\"picture\",\"mode\":\"maps\",\"metric\":\"entropy\",\"colormap\":\"magma\","
            + "\"log\":false,\"firstToken\":true,\"token\":-1,\"column\":false,\"x\":0,\"y\":0,\"zoom\":1}";

    private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final FrameStream stream = new FrameStream(RandomFrames.SOURCE, commands::add);
    private final List<Frame> frames = new RandomFrames(new Random(11)).stream();
    private final PageServer server = PageServer.open(ServeAddress.parse("0"), TOKEN);
    private final URI page = URI.create(server.url());

    PageServerTest() {
        server.serve(stream, stream.subscribe(), PROMPT, Path.of("target/recordings"), () -> SourceStatus.NONE);
    }

    @AfterEach
    void close() {
        server.close();
    }

    private SocketViewer connect() {
        return SocketViewer.connect(server.url(), RandomFrames.SOURCE);
    }

    private String request(String head) throws IOException {
        return request(page.getPort(), head);
    }

    private static String request(int port, String head) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write((head + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void pagesComeWithHeadersThatForbidEverythingElse() throws IOException {
        for (String path : List.of("/", "/page.js", "/heatmap.js", "/shaders/cells.frag", "/colormaps/magma.csv", "/fonts/roboto.ttf")) {
            String answer = request("GET %s HTTP/1.1\r\nHost: localhost:1".formatted(path));
            assertTrue(answer.startsWith("HTTP/1.1 200 "), path);
            assertTrue(answer.contains("Content-Security-Policy: default-src 'none'; script-src 'self';"));
            assertTrue(!answer.contains("unsafe"));
            assertTrue(answer.contains("X-Content-Type-Options: nosniff"));
            assertTrue(answer.contains("Referrer-Policy: no-referrer"));
        }
        for (String path : List.of("/none", "/../pom.xml", "/%2e%2e/PageServer.class", "/page.js/", "/page")) {
            String status = request("GET %s HTTP/1.1\r\nHost: localhost".formatted(path)).substring(9, 12);
            assertTrue(List.of("400", "404").contains(status), path + ": " + status);
        }
        assertTrue(request("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0").startsWith("HTTP/1.1 405 "));
    }

    @Test
    void onLoopbackOtherNamesAreRefused() throws IOException {
        for (String host : List.of("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example")) {
            String answer = request("GET / HTTP/1.1\r\nHost: " + host);
            assertTrue(answer.startsWith("HTTP/1.1 403 "), answer);
        }
        for (String host : List.of("localhost", "127.0.0.1:9", "[::1]:9")) {
            assertTrue(request("GET / HTTP/1.1\r\nHost: " + host).startsWith("HTTP/1.1 200 "));
        }
    }

    @Test
    void theSocketIsForThePageWithTheTokenAlone() {
        String origin = "http://" + page.getAuthority();
        for (String path : List.of("/frames", "/images")) {
            assertEquals(403, refusal(path, TOKEN.text().substring(1), origin));
            assertEquals(403, refusal(path, "", origin));
            assertEquals(403, refusal(path, TOKEN.text(), "http://evil.example"));
            assertEquals(403, refusal(path, TOKEN.text(), "http://localhost"));
            assertEquals(403, refusal(path, TOKEN.text(), "null"));
            assertEquals(403, refusal(path, TOKEN.text(), ""));
        }
        assertTrue(connect().isOpen());
    }

    private int refusal(String path, String token, String origin) {
        CompletionException refused = assertThrows(CompletionException.class,
                () -> SocketViewer.open(page, path, token, origin, new WebSocket.Listener() { }).join());
        return assertInstanceOf(WebSocketHandshakeException.class, refused.getCause()).getResponse().statusCode();
    }

    @Test
    void theNinthViewerIsSentAway() throws InterruptedException {
        List<SocketViewer> viewers = new ArrayList<>();
        for (int i = 0; i < Broadcast.MAX_VIEWERS; i++) {
            viewers.add(connect());
            viewers.getLast().message("prompt");
        }
        assertEquals(1013, connect().closed());
        viewers.getFirst().close();
        viewers.getFirst().closed();
        SocketViewer next = connect();
        assertEquals(PROMPT, next.message("prompt").get("prompt").textValue());
        assertTrue(viewers.stream().skip(1).allMatch(SocketViewer::isOpen));
    }

    @Test
    void commandsArriveInOrder() throws InterruptedException {
        SocketViewer viewer = connect();
        viewer.send("{\"type\":\"pause\"}");
        viewer.send("{\"type\":\"step\"}");
        viewer.send("{\"type\":\"pick\",\"layer\":1,\"head\":2}");
        viewer.send("{\"type\":\"resume\"}");
        viewer.send("{\"type\":\"end\"}");
        viewer.send("{\"type\":\"move\",\"tokens\":-10}");
        viewer.send("{\"type\":\"speed\",\"times\":0.5}");
        viewer.send("{\"type\":\"restart\",\"prompt\":\"another \\u20ac\"}");
        viewer.send("{\"type\":\"stop\"}");
        for (Command expected : List.of(
                new Command.Pause(), new Command.Step(), new Command.Pick(1, 2), new Command.Resume(), new Command.End(),
                new Command.Move(-10), new Command.Speed(0.5),
                new Command.Restart("another \u20ac"), new Command.Stop())) {
            assertEquals(expected, commands.poll(Patience.SECONDS, TimeUnit.SECONDS));
        }
        assertEquals(PROMPT, viewer.message("prompt").get("prompt").textValue());
        assertEquals("another \u20ac", viewer.message("prompt").get("prompt").textValue());
    }

    @Test
    void otherMessagesEndTheConnection() {
        for (String message : List.of(
                "", "pause", "[]", "{}", "{\"type\":\"reboot\"}", "{\"type\":\"pause\",\"more\":1}", "{\"type\":\"pause\"} {}",
                "{\"type\":\"pick\",\"layer\":2,\"head\":0}", "{\"type\":\"pick\",\"layer\":0,\"head\":-1}",
                "{\"type\":\"pick\",\"layer\":0.5,\"head\":0}", "{\"type\":\"pick\",\"layer\":0}",
                "{\"type\":\"restart\",\"prompt\":\"\"}", "{\"type\":\"restart\",\"prompt\":7}",
                "{\"type\":\"curve\",\"metric\":\"none\",\"layer\":0,\"head\":0}", "{\"type\":\"confirm\",\"frame\":1}",
                "{\"type\":\"move\",\"tokens\":0.5}", "{\"type\":\"speed\",\"times\":0}", "{\"type\":\"speed\",\"times\":\"2\"}",
                "{\"type\":\"size\",\"width\":800,\"height\":600,\"scale\":1}", "{\"type\":\"typed\",\"codePoint\":32}",
                PICTURE.replace("maps", "map"), PICTURE.replace("magma", "mauve"), PICTURE.replace("entropy", "envy"),
                PICTURE.replace("\"zoom\":1", "\"zoom\":0.5"), "[".repeat(100_000))) {
            SocketViewer viewer = connect();
            viewer.send(message);
            assertEquals(1008, viewer.closed(), message.length() < 100 ? message : "nested");
        }
        assertTrue(commands.isEmpty());
    }

    @Test
    void messagesThatAreTooLongEndTheConnection() {
        SocketViewer viewer = connect();
        viewer.send("{\"type\":\"restart\",\"prompt\":\"%s\"}".formatted("x".repeat(PageServer.MAX_MESSAGE_BYTES)));
        assertEquals(1009, viewer.closed());
        assertTrue(commands.isEmpty());
    }

    @Test
    void imagesAreDrawnInTheViewersSize() throws Exception {
        SocketViewer viewer = SocketViewer.connectForImages(server.url(), RandomFrames.SOURCE);
        viewer.message("prompt");
        frames.subList(0, 4).forEach(stream);
        viewer.send("{\"type\":\"size\",\"width\":640,\"height\":400,\"scale\":1}");
        SocketViewer.Png first = viewer.image();
        assertEquals(1, first.header().get("frame").intValue());
        assertEquals(640, first.image().getWidth());
        assertEquals(400, first.image().getHeight());
        viewer.send("{\"type\":\"size\",\"width\":700,\"height\":500,\"scale\":2}");
        SocketViewer.Png second = viewer.image();
        assertEquals(700, second.image().getWidth());
        frames.subList(4, frames.size()).forEach(stream);
        viewer.send("{\"type\":\"typed\",\"codePoint\":99}");
        Thread.sleep(500);
        assertEquals(0, viewer.waiting(), "two are unconfirmed");
        viewer.confirm(2);
        SocketViewer.Png third = viewer.image();
        assertEquals(3, third.header().get("frame").intValue());
        assertTrue(!Arrays.equals(second.bytes(), third.bytes()));
        viewer.send("{\"type\":\"typed\",\"codePoint\":46}");
        assertEquals(new Command.Step(), commands.poll(Patience.SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void aViewerThatSendsMoreThanImagesCanShowIsCutOff() {
        SocketViewer viewer = SocketViewer.connectForImages(server.url(), RandomFrames.SOURCE);
        viewer.send("{\"type\":\"size\",\"width\":4096,\"height\":4096,\"scale\":1}");
        for (int i = 0; i < 5000 && viewer.isOpen(); i++) {
            viewer.send("{\"type\":\"moved\",\"x\":1,\"y\":1}");
        }
        assertEquals(1008, viewer.closed());
    }

    @Test
    void aPictureIsDrawnForTheOneWhoAsks() throws Exception {
        SocketViewer viewer = connect();
        SocketViewer other = connect();
        viewer.send(PICTURE);
        frames.forEach(stream);
        viewer.read(1, frames.getLast().end());
        viewer.send(PICTURE);
        SocketViewer.Png picture = viewer.image();
        assertTrue(picture.header().get("name").textValue().endsWith(".png"));
        assertTrue(picture.image().getWidth() > 1000);
        other.read(1, frames.getLast().end());
        assertEquals(0, other.waiting());
    }

    @Test
    void framesAreRecordedForAllViewers(@TempDir Path folder) throws Exception {
        try (PageServer recording = PageServer.open(ServeAddress.parse("0"), TOKEN)) {
            recording.serve(stream, stream.subscribe(), PROMPT, folder.resolve("new"), () -> SourceStatus.NONE);
            SocketViewer viewer = SocketViewer.connect(recording.url(), RandomFrames.SOURCE);
            frames.subList(0, 14).forEach(stream);
            viewer.read(1, frames.get(13).end());
            viewer.send("{\"type\":\"record\"}");
            String file = viewer.message("recording").get("file").textValue();
            assertEquals("recording to " + file, viewer.message("notice").get("text").textValue());
            SocketViewer later = SocketViewer.connect(recording.url(), RandomFrames.SOURCE);
            assertEquals(file, later.message("recording").get("file").textValue());
            stream.accept(frames.get(14));
            assertEquals(frames.get(14).end(), viewer.frame().frame().end());
            later.send("{\"type\":\"record\"}");
            assertEquals("", viewer.message("recording").get("file").textValue());
            try (FrameFileReader reader = FrameFileReader.open(Path.of(file))) {
                assertEquals(frames.get(13).end(), reader.next().orElseThrow().frame().end());
                assertEquals(frames.get(14).end(), reader.next().orElseThrow().frame().end());
                assertTrue(reader.next().isEmpty());
            }
        }
    }

    @Test
    void aViewerIsToldWhatAnotherProcessHasNotHandedOver(@TempDir Path folder) throws Exception {
        FrameStream attached = new FrameStream(RandomFrames.SOURCE, commands::add);
        try (PageServer page = PageServer.open(ServeAddress.parse("0"), TOKEN)) {
            page.serve(attached, attached.subscribe(), "", folder, () -> new SourceStatus(OptionalDouble.empty(), 3, 0));
            SocketViewer viewer = SocketViewer.connect(page.url(), RandomFrames.SOURCE);
            attached.accept(frames.getFirst());
            JsonNode header = viewer.frame().header();
            assertEquals(3, header.get("skipped").longValue());
            assertFalse(header.has("lost"));
            assertFalse(header.has("played"));
        }
    }

    @Test
    void aRecordingIsNotRecordedAgain(@TempDir Path folder) throws Exception {
        FrameStream played = new FrameStream(RandomFrames.SOURCE.asRecorded(), commands::add);
        try (PageServer replay = PageServer.open(ServeAddress.parse("0"), TOKEN)) {
            replay.serve(played, played.subscribe(), "", folder, () -> SourceStatus.played(0.25));
            SocketViewer viewer = SocketViewer.connect(replay.url(), RandomFrames.SOURCE);
            assertTrue(viewer.message("source").get("recorded").booleanValue());
            played.accept(frames.getFirst());
            assertEquals(0.25, viewer.frame().header().get("played").doubleValue());
            viewer.send("{\"type\":\"record\"}");
            assertEquals("a recording is being played, which cannot be recorded", viewer.message("notice").get("text").textValue());
        }
        assertEquals(0, folder.toFile().list().length);
    }

    @Test
    void aNewViewerGetsTheTextSoFar() throws InterruptedException {
        LiveText expected = new LiveText(RandomFrames.SOURCE);
        int half = frames.size() / 2 + 3;
        SocketViewer first = connect();
        first.message("prompt");
        for (Frame frame : frames.subList(0, half)) {
            stream.accept(frame);
            expected.add(frame);
        }
        int tokens = expected.tokens().size();
        first.read(1, tokens);
        LiveText seen = connect().read(1, tokens);
        assertEquals(expected.tokens(), seen.tokens());
        assertArrayEquals(expected.map(), seen.map(), 1e-3f);
        assertArrayEquals(expected.metric("entropy").orElseThrow(), seen.metric("entropy").orElseThrow());
    }

    @Test
    void aSlowViewerGetsJoinedFramesAndTheirNumber() throws InterruptedException {
        SocketViewer slow = connect();
        SocketViewer quick = connect();
        slow.message("prompt");
        quick.message("prompt");
        LiveText expected = new LiveText(RandomFrames.SOURCE);
        LiveText seen = new LiveText(RandomFrames.SOURCE);
        for (Frame frame : frames) {
            stream.accept(frame);
            expected.add(frame);
            DecodedFrame received = quick.frame();
            quick.confirm(received.number());
            assertEquals(0, received.frame().dropped());
        }
        seen.add(slow.frame().frame());
        seen.add(slow.frame().frame());
        assertEquals(0, slow.waiting());
        assertTrue(slow.isOpen());
        slow.confirm(Viewer.WINDOW);
        DecodedFrame joined = slow.frame();
        seen.add(joined.frame());
        assertEquals(3, joined.number());
        assertEquals(frames.size() - Viewer.WINDOW - 1, joined.frame().dropped());
        assertEquals(expected.tokens(), seen.tokens());
        assertArrayEquals(expected.map(), seen.map(), 1e-3f);
    }

    @Test
    void aViewerThatLagsIsToldWhileItLags() throws InterruptedException {
        SocketViewer lags = connect();
        SocketViewer quick = connect();
        lags.message("prompt");
        quick.message("prompt");
        for (Frame frame : frames) {
            stream.accept(frame);
            quick.confirm(quick.frame().number());
        }
        assertTrue(lags.message("dropped").get("frames").longValue() > 0);
        assertTrue(lags.isOpen());
    }

    private void awaitViewers(int count) throws InterruptedException {
        while (server.viewers() != count) {
            Thread.sleep(10);
        }
    }

    @Test
    void aViewerWhoseControlLaneIsFullIsCutOff() throws InterruptedException {
        SocketViewer frozen = SocketViewer.connect(server.url(), RandomFrames.SOURCE, false);
        SocketViewer busy = connect();
        busy.message("prompt");
        String prompt = "x".repeat(PageServer.MAX_MESSAGE_BYTES / 2);
        int sent = 0;
        awaitViewers(2);
        while (server.viewers() == 2 && sent < 200) {
            busy.send("{\"type\":\"restart\",\"prompt\":\"%s\"}".formatted(prompt));
            busy.message("prompt");
            sent++;
        }
        assertTrue(sent >= ControlLane.CAPACITY, sent + " messages");
        assertEquals(1, server.viewers());
        assertTrue(busy.isOpen());
        assertTrue(frozen.isOpen(), "it has read nothing, not even the end");
    }

    @Test
    void aCurveIsThatOfTheTextSoFar() throws InterruptedException {
        SocketViewer viewer = connect();
        LiveText expected = new LiveText(RandomFrames.SOURCE);
        for (Frame frame : frames.subList(0, 6)) {
            stream.accept(frame);
            expected.add(frame);
            viewer.confirm(viewer.frame().number());
        }
        viewer.send("{\"type\":\"curve\",\"metric\":\"entropy\",\"layer\":1,\"head\":2}");
        JsonNode curve = viewer.message("curve");
        var known = expected.history().curve("entropy", 5);
        assertEquals(known.tokens().length, curve.get("values").size());
        for (int i = 0; i < known.tokens().length; i++) {
            assertEquals(known.tokens()[i], curve.get("tokens").get(i).doubleValue());
            assertEquals(known.values()[i], curve.get("values").get(i).doubleValue(), 1e-6);
        }
    }

    @Test
    void theLastFrameArrivesBeforeTheEnd() throws InterruptedException {
        SocketViewer viewer = connect();
        viewer.message("prompt");
        stream.accept(frames.getFirst());
        server.close();
        assertEquals(frames.getFirst().tokens(), viewer.frame().frame().tokens());
        assertEquals(1001, viewer.closed());
    }

    @Test
    void aSavedPageIsServedUnderTheTokenAlone() throws IOException {
        try (PageServer saved = PageServer.open(ServeAddress.parse("0"), TOKEN)) {
            saved.serve("<!DOCTYPE html><title>saved</title>");
            URI address = URI.create(saved.savedUrl());
            String request = "GET %s HTTP/1.1\r\nHost: localhost";
            String answer = request(address.getPort(), request.formatted(address.getPath()));
            assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
            assertTrue(answer.endsWith("<!DOCTYPE html><title>saved</title>"), answer);
            for (String path : List.of("/", "/wrong", "/" + TOKEN.text().substring(1), "/page.js")) {
                assertTrue(request(address.getPort(), request.formatted(path)).startsWith("HTTP/1.1 404 "), path);
            }
        }
    }

    @Test
    void anAddressThatCannotBeOpenedIsNamed() {
        String busy = assertThrows(UncheckedIOException.class,
                () -> PageServer.open(ServeAddress.parse(String.valueOf(page.getPort())), TOKEN)).getMessage();
        assertEquals("--serve: port %d of 127.0.0.1 cannot be opened (Address already in use); choose another one"
                .formatted(page.getPort()), busy);
        String unknown = assertThrows(UncheckedIOException.class,
                () -> PageServer.open(ServeAddress.parse("no-such-host.invalid:0"), TOKEN)).getMessage();
        assertEquals("--serve: the host no-such-host.invalid is not known; give a name or an address of this machine", unknown);
    }
}
