package headscope.bench;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;

/** What a browser on another machine costs the server: it takes every message and confirms every frame, without drawing. */
final class PageReader implements WebSocket.Listener, AutoCloseable {
    private final boolean frozen;
    private final WebSocket socket;
    private int frames;

    /**
     * @param url    of the page, with its token
     * @param frozen whether nothing is read or confirmed after the connection is open
     */
    PageReader(String url, boolean frozen) {
        this.frozen = frozen;
        URI page = URI.create(url);
        this.socket = HttpClient.newHttpClient().newWebSocketBuilder()
                .header("Origin", "http://" + page.getAuthority())
                .buildAsync(URI.create("ws://%s/frames?token=%s".formatted(page.getAuthority(), page.getFragment())), this)
                .join();
    }

    @Override
    public void onOpen(WebSocket opened) {
        if (!frozen) {
            opened.request(1);
        }
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
        from.request(1);
        if (!last) {
            return null;
        }
        frames++;
        return from.sendText("{\"type\":\"confirm\",\"frame\":%d}".formatted(frames), true);
    }

    @Override
    public void close() {
        socket.abort();
    }
}
