package headscope.live.serve;

import headscope.figure.Figure;
import headscope.live.Latest;
import headscope.live.Recorder;
import headscope.live.SourceStatus;
import headscope.live.ThreadPriority;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.StatusCode;

/**
 * One browser. Frames or images go to it one at a time, at most {@link #WINDOW} of them unconfirmed; those that come
 * meanwhile are joined. Public because Jetty calls it.
 */
public final class Viewer implements Session.Listener.AutoDemanding {
    static final int WINDOW = 2;

    private static final long NANOS_BETWEEN_NOTICES = TimeUnit.SECONDS.toNanos(1);
    private static final long NANOS_BETWEEN_PINGS = TimeUnit.SECONDS.toNanos(15);
    private static final Duration PATIENCE = Duration.ofMillis(100);

    /** How long the last frame may take; images take long while the model computes. */
    private static final Duration LAST_FRAME = Duration.ofSeconds(2);

    private final Broadcast broadcast;
    private final FrameSource source;
    private final Latest slot = new Latest();
    private final Feed feed;
    private final Thread sender = Thread.ofPlatform().daemon().name("viewer").unstarted(this::send);
    private Optional<Session> session = Optional.empty();
    private Optional<ControlLane> lane = Optional.empty();
    private String prompt = "";
    private boolean open;
    private boolean ending;
    private boolean writing;
    private boolean drawing;
    private int sent;
    private int confirmed;
    private long droppedBefore;
    private long noticed;
    private long lastNotice = System.nanoTime();
    private long lastPing = System.nanoTime();

    /** @param images whether the browser is shown images, because it cannot draw */
    Viewer(Broadcast broadcast, boolean images) {
        this.broadcast = broadcast;
        this.source = broadcast.source();
        this.feed = images ? new ImageFeed(this, source, slot) : new FrameFeed(source, slot, this::status);
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
        sender.start();
        if (!broadcast.join(this)) {
            end(false);
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
                case ViewerMessage.Order(var command) -> send(command);
                case ViewerMessage.CurveRequest request -> control.curve(request, broadcast.curve(request));
                case ViewerMessage.PictureRequest(var view) -> broadcast.figure(view).ifPresent(this::picture);
                case ViewerMessage.RecordingRequest _ -> record();
                case ViewerMessage.Size size -> feed.hear(size);
                case ViewerMessage.UserInput input -> feed.hear(input);
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
        end(false);
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
        try (feed) {
            while (awaitTurn()) {
                if (send(PATIENCE)) {
                    Thread.sleep(feed.interval());
                }
            }
            if (ending) {
                send(Duration.ZERO);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException problem) {
            lane.orElseThrow().close(StatusCode.SERVER_ERROR, "The server cannot show this: " + problem.getMessage());
        }
    }

    /** @return whether further frames are to be sent */
    private synchronized boolean awaitTurn() throws InterruptedException {
        while (open && (writing || sent - confirmed >= WINDOW)) {
            wait();
        }
        return open;
    }

    /** @return whether there was something new */
    private boolean send(Duration patience) throws InterruptedException {
        Optional<ByteBuffer> message = feed.next(sent + 1, patience);
        message.ifPresent(bytes -> {
            synchronized (this) {
                sent++;
                writing = true;
            }
            session.orElseThrow().sendBinary(bytes, Callback.from(this::written, _ -> written()));
        });
        return message.isPresent();
    }

    private synchronized void written() {
        writing = false;
        notifyAll();
    }

    /** @param byServer whether the viewer is still there, and is sent the last frame */
    private synchronized void end(boolean byServer) {
        ending = open && byServer;
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

    /** The prompt that the viewer may edit. */
    void prompt(String next) {
        synchronized (this) {
            prompt = next;
        }
        lane.orElseThrow().prompt(next);
    }

    synchronized String prompt() {
        return prompt;
    }

    /** Of the producer. */
    SourceStatus status() {
        return broadcast.status();
    }

    /** A command of this viewer. */
    void send(Command command) {
        broadcast.send(command);
    }

    /** Draws a picture for print, which the viewer saves; one at a time. */
    void picture(Figure figure) {
        synchronized (this) {
            if (drawing) {
                return;
            }
            drawing = true;
        }
        broadcast.pictures().draw(figure, png -> {
            drawn();
            String name = "live-%s.png".formatted(LocalDateTime.now().format(Recorder.TIME));
            session.orElseThrow().sendBinary(ImageMessage.file(name, png), Callback.NOOP);
        }, refusal -> {
            drawn();
            notice(refusal);
        });
    }

    private synchronized void drawn() {
        drawing = false;
    }

    /** Begins or ends a recording. */
    void record() {
        broadcast.record().ifPresent(this::notice);
    }

    /** @param file that frames are recorded in; empty if they are not */
    void recording(String file) {
        feed.recording(!file.isEmpty());
        lane.orElseThrow().recording(file);
    }

    /** Shows one line. */
    void notice(String line) {
        lane.orElseThrow().notice(line);
    }

    /** No images can be drawn. */
    void unavailable(String reason) {
        lane.orElseThrow().unavailable(reason);
    }

    /** The viewer asks its user, and then stops the program. */
    void askToStop() {
        lane.orElseThrow().askToStop();
    }

    /** Sends the last frame, confirmed or not. */
    void end() {
        end(true);
    }

    /** Ends the connection, after {@link #end}. */
    void close() {
        try {
            sender.join(LAST_FRAME);
            lane.orElseThrow().close(StatusCode.SHUTDOWN, "The program has ended").get(1, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException slow) {
            session.orElseThrow().disconnect();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
