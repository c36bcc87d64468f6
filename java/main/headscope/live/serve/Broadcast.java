package headscope.live.serve;

import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveText;
import headscope.live.MetricHistory.Curve;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Passes a stream of frames on to viewers in browsers. Its thread keeps the text so far, from which a new viewer starts;
 * the model notices one slot, however many viewers there are.
 */
final class Broadcast implements AutoCloseable {
    static final int MAX_VIEWERS = 8;

    private static final Duration PATIENCE = Duration.ofMillis(250);

    private final FrameStream stream;
    private final Latest slot;
    private final LiveText text;
    private final List<Viewer> viewers = new ArrayList<>();
    private final Thread thread;

    /** @param stream whose producer has not begun */
    Broadcast(FrameStream stream) {
        this.stream = stream;
        this.slot = stream.subscribe();
        this.text = new LiveText(stream.source());
        this.thread = Thread.ofPlatform().daemon().name("broadcast").start(this::pass);
    }

    private void pass() {
        try {
            while (true) {
                slot.take(PATIENCE).ifPresent(this::pass);
                attend();
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void pass(Frame frame) {
        text.add(frame.withDropped(0)); // each viewer is told what it was not shown itself
        viewers.forEach(viewer -> viewer.slot().put(frame));
    }

    private synchronized void attend() {
        long now = System.nanoTime();
        viewers.forEach(viewer -> viewer.attend(now));
    }

    /** Adds a viewer, which receives the text so far and all later frames. @return false if there are too many */
    synchronized boolean join(Viewer viewer) {
        if (viewers.size() == MAX_VIEWERS) {
            return false;
        }
        text.whole().ifPresent(viewer.slot()::put);
        return viewers.add(viewer);
    }

    synchronized void leave(Viewer viewer) {
        viewers.remove(viewer);
    }

    synchronized Curve curve(ViewerMessage.CurveRequest request) {
        return text.history().curve(request.metric(), request.layer() * stream.source().heads() + request.head());
    }

    void send(Command command) {
        stream.send(command);
    }

    @Override
    public void close() {
        stream.unsubscribe(slot);
        thread.interrupt();
        List<Viewer> connected;
        synchronized (this) {
            connected = List.copyOf(viewers);
        }
        connected.forEach(Viewer::close);
    }
}
