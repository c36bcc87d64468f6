package headscope.live.serve;

import headscope.live.Latest;
import headscope.live.ThreadPriority;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
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
    /** A screen shows 60 a second. */
    private static final long MILLIS_BETWEEN_FRAMES = 16;

    private static final Duration PATIENCE = Duration.ofMillis(100);

    private final Broadcast broadcast;
    private final FrameSource source;
    private final Latest slot = new Latest();
    private final Thread sender = Thread.ofPlatform().daemon().name("viewer").unstarted(this::send);
    private Optional<Session> session = Optional.empty();
    private Optional<ControlLane> lane = Optional.empty();
    private boolean open;
    private boolean writing;
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
            sender.start();
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
        end();
        closed.succeed();
    }

    private synchronized void confirm(int frame) {
        if (frame <= confirmed || frame > sent) {
            throw new IllegalArgumentException("frame %d is not one of %d to %d".formatted(frame, confirmed + 1, sent));
        }
        confirmed = frame;
        notifyAll();
    }

    private void send() {
        ThreadPriority.giveWay();
        try {
            while (awaitTurn()) {
                slot.take(PATIENCE).ifPresent(this::send);
                Thread.sleep(MILLIS_BETWEEN_FRAMES);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether further frames are to be sent */
    private synchronized boolean awaitTurn() throws InterruptedException {
        while (open && (writing || sent - confirmed >= WINDOW)) {
            wait();
        }
        return open;
    }

    private void send(Frame frame) {
        int number;
        synchronized (this) {
            number = ++sent;
            writing = true;
        }
        session.orElseThrow().sendBinary(
                FrameMessage.encode(source, number, frame), Callback.from(this::written, _ -> written()));
    }

    private synchronized void written() {
        writing = false;
        notifyAll();
    }

    private synchronized void end() {
        open = false;
        notifyAll();
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
        end();
        try {
            sender.join();
            slot.take().ifPresent(this::send);
            lane.orElseThrow().close(StatusCode.SHUTDOWN, "The program has ended").get(1, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException slow) {
            session.orElseThrow().disconnect();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
