package headscope.live.serve;

import headscope.live.FrameStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** Serves a page that shows a stream of frames in browsers, and the socket through which they come, on one port. */
public final class PageServer implements AutoCloseable {
    /** A prompt can be as long as the context of most models; everything else that viewers send is short. */
    static final int MAX_MESSAGE_BYTES = 1 << 20;

    private static final int THREADS = 12;

    private final ServeAddress address;
    private final AccessToken token;
    private final Broadcast broadcast;
    private final Server server;
    private final ServerConnector connector;

    private PageServer(FrameStream stream, ServeAddress address, AccessToken token, InetAddress resolved) {
        this.address = address;
        this.token = token;
        this.broadcast = new Broadcast(stream);
        QueuedThreadPool threads = new QueuedThreadPool(THREADS);
        threads.setName("page-server");
        threads.setDaemon(true);
        this.server = new Server(threads);
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        this.connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost(resolved.getHostAddress());
        connector.setPort(address.port());
        server.addConnector(connector);
        WebSocketUpgradeHandler socket = WebSocketUpgradeHandler.from(server, container -> {
            container.setMaxTextMessageSize(MAX_MESSAGE_BYTES);
            container.setMaxBinaryMessageSize(1);
            container.setIdleTimeout(Duration.ZERO); // a viewer has nothing to say while the model is paused
            container.addMapping(Guard.SOCKET, (_, _, _) -> new Viewer(broadcast, stream.source()));
        });
        socket.setHandler(new PageFiles());
        server.setHandler(new Guard(resolved.isLoopbackAddress(), token, socket));
    }

    /**
     * Starts to serve, before the producer of the stream begins.
     *
     * @throws UncheckedIOException with one line if the host does not resolve or the port is not free
     */
    public static PageServer open(FrameStream stream, ServeAddress address, AccessToken token) {
        InetAddress resolved;
        try {
            resolved = address.resolve();
        } catch (UnknownHostException unknown) {
            throw new UncheckedIOException(
                    "--serve: the host %s is not known; give a name or an address of this machine".formatted(address.host()),
                    unknown);
        }
        PageServer page = new PageServer(stream, address, token, resolved);
        try {
            page.connector.open();
        } catch (IOException refused) {
            page.close();
            throw new UncheckedIOException("--serve: port %d of %s cannot be opened (%s); choose another one".formatted(
                    address.port(), address.host(), root(refused).getMessage()), refused);
        }
        try {
            page.server.start();
        } catch (Exception failed) {
            page.close();
            throw new IllegalStateException("the page cannot be served", failed);
        }
        return page;
    }

    private static Throwable root(Throwable thrown) {
        return thrown.getCause() == null ? thrown : root(thrown.getCause());
    }

    /** The page's address, which contains the token. */
    public String url() {
        return "http://%s:%d/#%s".formatted(host(), connector.getLocalPort(), token.text());
    }

    private String host() {
        try {
            boolean every = address.resolve().isAnyLocalAddress();
            String name = every ? InetAddress.getLocalHost().getHostName() : address.host();
            return name.contains(":") ? "[" + name + "]" : name;
        } catch (UnknownHostException unnamed) {
            return address.host();
        }
    }

    /** Tells all viewers, and ends. */
    @Override
    public void close() {
        broadcast.close();
        try {
            server.stop();
        } catch (Exception failed) {
            throw new IllegalStateException("the page's server cannot be stopped", failed);
        }
    }
}
