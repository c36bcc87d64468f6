package headscope.live.serve;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.Patience;
import headscope.live.LiveText;
import headscope.result.frame.FrameSource;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;

/** A viewer without a browser: receives messages, and confirms frames when it is told to. */
final class SocketViewer implements WebSocket.Listener {
    private final FrameSource source;
    private final boolean reads;
    private final BlockingQueue<JsonNode> texts = new LinkedBlockingQueue<>();
    private final BlockingQueue<DecodedFrame> frames = new LinkedBlockingQueue<>();
    private final BlockingQueue<Png> images = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private WebSocket socket;

    private SocketViewer(FrameSource source, boolean reads) {
        this.source = source;
        this.reads = reads;
    }

    static SocketViewer connect(String pageUrl, FrameSource source) {
        return connect(pageUrl, source, true);
    }

    /** @param reads whether anything is taken from the network */
    static SocketViewer connect(String pageUrl, FrameSource source, boolean reads) {
        return connect(pageUrl, Guard.FRAMES, new SocketViewer(source, reads));
    }

    /** A viewer that is shown images. */
    static SocketViewer connectForImages(String pageUrl, FrameSource source) {
        return connect(pageUrl, Guard.IMAGES, new SocketViewer(source, true));
    }

    private static SocketViewer connect(String pageUrl, String path, SocketViewer viewer) {
        URI page = URI.create(pageUrl);
        viewer.socket = open(page, path, page.getFragment(), "http://" + page.getAuthority(), viewer).join();
        return viewer;
    }

    static CompletableFuture<WebSocket> open(URI page, String path, String token, String origin, WebSocket.Listener listener) {
        WebSocket.Builder builder = HttpClient.newHttpClient().newWebSocketBuilder();
        if (!origin.isEmpty()) {
            builder.header("Origin", origin);
        }
        return builder.buildAsync(
                URI.create("ws://%s%s?token=%s".formatted(page.getAuthority(), path, token)), listener);
    }

    void send(String message) {
        socket.sendText(message, true).join();
    }

    void confirm(int frame) {
        send("{\"type\":\"confirm\",\"frame\":%d}".formatted(frame));
    }

    /** The next message of this type; others are skipped. */
    JsonNode message(String type) throws InterruptedException {
        JsonNode next;
        do {
            next = texts.poll(Patience.SECONDS, TimeUnit.SECONDS);
        } while (next != null && !next.get("type").textValue().equals(type));
        if (next == null) {
            throw new IllegalStateException("no message of type " + type);
        }
        return next;
    }

    DecodedFrame frame() throws InterruptedException {
        DecodedFrame next = frames.poll(Patience.SECONDS, TimeUnit.SECONDS);
        if (next == null) {
            throw new IllegalStateException("no frame");
        }
        return next;
    }

    /** A PNG file with its header. */
    record Png(JsonNode header, byte[] bytes) {
        static Png of(byte[] message) throws IOException {
            int length = ByteBuffer.wrap(message, 4, 4).order(ByteOrder.LITTLE_ENDIAN).getInt();
            return new Png(ViewerMessage.JSON.readTree(Arrays.copyOfRange(message, 8, 8 + length)),
                    Arrays.copyOfRange(message, 8 + length, message.length));
        }

        BufferedImage image() throws IOException {
            return ImageIO.read(new ByteArrayInputStream(bytes));
        }
    }

    Png image() throws InterruptedException {
        Png next = images.poll(Patience.SECONDS, TimeUnit.SECONDS);
        if (next == null) {
            throw new IllegalStateException("no image");
        }
        return next;
    }

    /** Frames and images that have come and were not asked for. */
    int waiting() {
        return frames.size() + images.size();
    }

    /** Takes and confirms frames until the text has this many tokens. */
    LiveText read(int text, int tokens) throws InterruptedException {
        LiveText read = new LiveText(source);
        while (read.frame().isEmpty() || read.frame().get().text() != text || read.tokens().size() < tokens) {
            DecodedFrame next = frame();
            read.add(next.frame());
            confirm(next.number());
        }
        return read;
    }

    /** The status with which the server has closed the connection; 1006 if it did not say. */
    int closed() {
        return closed.orTimeout(Patience.SECONDS, TimeUnit.SECONDS).join();
    }

    boolean isOpen() {
        return !closed.isDone();
    }

    void close() {
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
    }

    @Override
    public void onOpen(WebSocket opened) {
        if (reads) {
            opened.request(1);
        }
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
        text.append(part);
        if (last) {
            try {
                texts.add(ViewerMessage.JSON.readTree(text.toString()));
            } catch (IOException problem) {
                throw new UncheckedIOException(problem);
            }
            text.setLength(0);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
        byte[] received = new byte[part.remaining()];
        part.get(received);
        bytes.writeBytes(received);
        if (last) {
            try {
                byte[] message = bytes.toByteArray();
                if (message[2] == 'I') { // HSI1
                    images.add(Png.of(message));
                } else {
                    frames.add(DecodedFrame.of(ByteBuffer.wrap(message), source, "f16"));
                }
            } catch (IOException problem) {
                throw new UncheckedIOException(problem);
            }
            bytes.reset();
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
        closed.complete(status);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable problem) {
        closed.complete(1006);
    }
}
