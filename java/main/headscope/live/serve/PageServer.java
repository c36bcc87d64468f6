package headscope.live.serve;

import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.SourceStatus;
import headscope.live.ThreadPriority;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.eclipse.jetty.server.Handler;
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
    private static final int STOP_MILLIS = 500;

    private static final long MILLIS_BETWEEN_LOOKS = 50;

    private final ServeAddress address;
    private final InetAddress resolved;
    private final AccessToken token;
    private final Server server;
    private final ServerConnector connector;
    private Optional<Broadcast> broadcast = Optional.empty();

    private PageServer(ServeAddress address, InetAddress resolved, AccessToken token) {
        this.address = address;
        this.resolved = resolved;
        this.token = token;
        QueuedThreadPool threads = new QueuedThreadPool(THREADS) {
            @Override
            public Thread newThread(Runnable work) {
                return super.newThread(() -> {
                    ThreadPriority.giveWay();
                    work.run();
                });
            }
        };
        threads.setName("page-server");
        threads.setDaemon(true);
        threads.setStopTimeout(STOP_MILLIS);
        this.server = new Server(threads);
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        this.connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost(resolved.getHostAddress());
        connector.setPort(address.port());
        server.addConnector(connector);
    }

    /**
     * Occupies the port. Browsers wait until {@link #view}.
     *
     * @throws UncheckedIOException with one line if the host does not resolve or the port is not free
     */
    public static PageServer open(ServeAddress address, AccessToken token) {
        InetAddress resolved;
        try {
            resolved = address.resolve();
        } catch (UnknownHostException unknown) {
            throw new UncheckedIOException(
                    "--serve: the host %s is not known; give a name or an address of this machine".formatted(address.host()),
                    unknown);
        }
        PageServer page = new PageServer(address, resolved, token);
        try {
            page.connector.open();
        } catch (IOException refused) {
            throw new UncheckedIOException("--serve: port %d of %s cannot be opened (%s); choose another one".formatted(
                    address.port(), address.host(), root(refused).getMessage()), refused);
        }
        return page;
    }

    /**
     * Serves a run until it ends, or until {@link LiveRun#stopping}.
     *
     * @param frames of the run, from the first one on
     * @param prompt that viewers may edit
     * @param folder for recordings that viewers begin
     */
    public void view(LiveRun run, Latest frames, String prompt, Path folder) throws InterruptedException {
        serve(run.stream(), frames, prompt, folder, run::status);
        while (!run.stopping() && !run.ended()) {
            Thread.sleep(MILLIS_BETWEEN_LOOKS);
        }
        run.stream().unsubscribe(frames);
    }

    void serve(FrameStream stream, Latest frames, String prompt, Path folder, Supplier<SourceStatus> status) {
        Broadcast viewers = new Broadcast(stream, frames, prompt, folder, status);
        broadcast = Optional.of(viewers);
        WebSocketUpgradeHandler socket = WebSocketUpgradeHandler.from(server, container -> {
            container.setMaxTextMessageSize(MAX_MESSAGE_BYTES);
            container.setMaxBinaryMessageSize(1);
            container.setIdleTimeout(Duration.ZERO); // a viewer has nothing to say while the model is paused
            container.addMapping(Guard.FRAMES, (_, _, _) -> new Viewer(viewers, false));
            container.addMapping(Guard.IMAGES, (_, _, _) -> new Viewer(viewers, true));
        });
        socket.setHandler(new PageFiles());
        start(socket);
    }

    /** Serves a page that needs nothing else, to those who know its address; see {@link #savedUrl}. */
    public void serve(String html) {
        start(new SavedPage(html, token));
    }

    private void start(Handler content) {
        server.setHandler(new Guard(resolved.isLoopbackAddress(), token, content));
        try {
            server.start();
        } catch (Exception failed) {
            throw new IllegalStateException("the page cannot be served", failed);
        }
    }

    /** Number of viewers at present. */
    int viewers() {
        return broadcast.map(Broadcast::viewers).orElse(0);
    }

    private static Throwable root(Throwable thrown) {
        return thrown.getCause() == null ? thrown : root(thrown.getCause());
    }

    /** The live page's address, which contains the token. */
    public String url() {
        return "http://%s:%d/#%s".formatted(host(), connector.getLocalPort(), token.text());
    }

    /** The address of a page that needs nothing else; it contains the token. */
    public String savedUrl() {
        return "http://%s:%d/%s".formatted(host(), connector.getLocalPort(), token.text());
    }

    private String host() {
        String name = resolved.isAnyLocalAddress() ? machine() : address.host();
        return name.contains(":") ? "[" + name + "]" : name;
    }

    private String machine() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException unnamed) {
            return address.host();
        }
    }

    /** Tells all viewers, and ends. */
    @Override
    public void close() {
        broadcast.ifPresent(Broadcast::close);
        connector.close();
        try {
            server.stop();
        } catch (Exception failed) {
            throw new IllegalStateException("the page's server cannot be stopped", failed);
        }
    }
}
