package headscope.live.serve;

import headscope.live.Latest;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.StatusCode;

/**
 * One browser. Frames go to it one at a time, at most {@link #WINDOW} of them unconfirmed; those that come meanwhile are
 * joined. Public because Jetty calls it.
 */
public final class Viewer implements Session.Listener.AutoDemanding {
    static final int WINDOW = 2;

    private static final long NANOS_BETWEEN_NOTICES = TimeUnit.SECONDS.toNanos(1);
    private static final long NANOS_BETWEEN_PINGS = TimeUnit.SECONDS.toNanos(15);
    private static final Duration PATIENCE = Duration.ofMillis(500);

    private final Broadcast broadcast;
    private final FrameSource source;
    private final Latest slot = new Latest();
    private Optional<Session> session = Optional.empty();
    private Optional<ControlLane> lane = Optional.empty();
    private boolean open;
    private int sent;
    private int confirmed;
    private long droppedBefore;
    private long noticed;
    private long lastNotice = System.nanoTime();
    private long lastPing = System.nanoTime();

    Viewer(Broadcast broadcast) {
        this.broadcast = broadcast;
        this.source = broadcast.source();
    }

    @Override
    public void onWebSocketOpen(Session opened) {
        ControlLane control = new ControlLane(opened);
        synchronized (this) {
            open = true;
            session = Optional.of(opened);
            lane = Optional.of(control);
        }
        control.source(source);
        if (broadcast.join(this)) {
            Thread.ofVirtual().name("viewer").start(() -> send(opened));
        } else {
            control.close(StatusCode.TRY_AGAIN_LATER,
                    "%d viewers are connected; close one of them".formatted(Broadcast.MAX_VIEWERS));
        }
    }

    @Override
    public void onWebSocketText(String text) {
        ControlLane control = lane.orElseThrow();
        try {
            switch (ViewerMessage.parse(text, source)) {
                case ViewerMessage.Confirmation(int frame) -> confirm(frame);
                case ViewerMessage.Order(var command) -> broadcast.send(command);
                case ViewerMessage.CurveRequest request -> control.curve(request, broadcast.curve(request));
            }
        } catch (IllegalArgumentException invalid) {
            control.close(StatusCode.POLICY_VIOLATION, invalid.getMessage());
        }
    }

    @Override
    public void onWebSocketPong(ByteBuffer payload) {
        lane.orElseThrow().pong();
    }

    @Override
    public void onWebSocketClose(int status, String reason, Callback closed) {
        broadcast.leave(this);
        synchronized (this) {
            open = false;
            notifyAll();
        }
        closed.succeed();
    }

    private synchronized void confirm(int frame) {
        if (frame <= confirmed || frame > sent) {
            throw new IllegalArgumentException("frame %d is not one of %d to %d".formatted(frame, confirmed + 1, sent));
        }
        confirmed = frame;
        notifyAll();
    }

    private void send(Session to) {
        try {
            while (awaitWindow()) {
                Optional<Frame> next = slot.take(PATIENCE);
                if (next.isPresent()) {
                    send(to, next.get()).get();
                }
            }
        } catch (ExecutionException gone) {
            to.disconnect();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private CompletableFuture<Void> send(Session to, Frame frame) {
        ByteBuffer message = FrameMessage.encode(source, count(), frame);
        Callback.Completable written = new Callback.Completable();
        to.sendBinary(message, written);
        return written;
    }

    /** @return whether the connection is still open */
    private synchronized boolean awaitWindow() throws InterruptedException {
        while (open && sent - confirmed >= WINDOW) {
            wait();
        }
        return open;
    }

    private synchronized int count() {
        return ++sent;
    }

    /** The text so far. */
    void begin(Frame whole) {
        droppedBefore = whole.dropped();
        give(whole);
    }

    /** The next frame. */
    void give(Frame frame) {
        slot.put(frame.withDropped(frame.dropped() - droppedBefore));
    }

    /** Tells a viewer that lags behind what it misses, and makes sure that a silent one is there. */
    void attend(long now) {
        boolean lags;
        synchronized (this) {
            lags = sent - confirmed >= WINDOW;
        }
        long dropped = slot.dropped();
        if (lags && dropped > noticed && now - lastNotice > NANOS_BETWEEN_NOTICES) {
            noticed = dropped;
            lastNotice = now;
            lane.orElseThrow().dropped(dropped);
        }
        if (now - lastPing > NANOS_BETWEEN_PINGS) {
            lastPing = now;
            lane.orElseThrow().ping();
        }
    }

    void prompt(String prompt) {
        lane.orElseThrow().prompt(prompt);
    }

    /** Sends the last frame, confirmed or not, and ends the connection. */
    void close() {
        Optional<Frame> last = slot.take();
        last.ifPresent(frame -> send(session.orElseThrow(), frame));
        try {
            lane.orElseThrow().close(StatusCode.SHUTDOWN, "The program has ended").get(1, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException slow) {
            session.orElseThrow().disconnect();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
