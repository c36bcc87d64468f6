package headscope.live.serve;

import headscope.live.FrameStream;
import headscope.live.KeyFrame;
import headscope.live.Latest;
import headscope.live.LiveText;
import headscope.live.MetricHistory.Curve;
import headscope.live.ThreadPriority;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Passes a stream of frames on to viewers in browsers. Its thread keeps the text so far, from which a new viewer starts;
 * the model notices one slot, however many viewers there are.
 */
final class Broadcast implements AutoCloseable {
    static final int MAX_VIEWERS = 8;

    private static final Duration PATIENCE = Duration.ofMillis(100);

    private final FrameStream stream;
    private final Latest frames;
    private final LiveText text;
    private final List<Viewer> viewers = new CopyOnWriteArrayList<>(); // one may leave while frames are passed on
    private final Thread thread;
    private String prompt;
    private volatile boolean closed;

    /** @param frames of the stream, from the first one on */
    Broadcast(FrameStream stream, Latest frames, String prompt) {
        this.stream = stream;
        this.frames = frames;
        this.prompt = prompt;
        this.text = new LiveText(stream.source());
        this.thread = Thread.ofPlatform().daemon().name("broadcast").start(this::pass);
    }

    private void pass() {
        ThreadPriority.giveWay();
        try {
            while (!closed) {
                frames.take(PATIENCE).ifPresent(this::pass);
                attend();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void pass(Frame frame) {
        text.add(frame);
        viewers.forEach(viewer -> viewer.give(frame));
    }

    private synchronized void attend() {
        long now = System.nanoTime();
        viewers.forEach(viewer -> viewer.attend(now));
    }

    FrameSource source() {
        return stream.source();
    }

    /** Adds a viewer, which receives the text so far and all later frames. @return false if there are too many */
    synchronized boolean join(Viewer viewer) {
        if (viewers.size() == MAX_VIEWERS) {
            return false;
        }
        viewer.prompt(prompt);
        if (text.frame().isPresent()) {
            viewer.begin(KeyFrame.of(text));
        }
        return viewers.add(viewer);
    }

    synchronized void leave(Viewer viewer) {
        viewers.remove(viewer);
    }

    int viewers() {
        return viewers.size();
    }

    synchronized Curve curve(ViewerMessage.CurveRequest request) {
        return text.history().curve(request.metric(), request.layer() * source().heads() + request.head());
    }

    synchronized void send(Command command) {
        if (command instanceof Command.Restart(String next)) {
            prompt = next;
            viewers.forEach(viewer -> viewer.prompt(next));
        }
        stream.send(command);
    }

    /** Gives viewers the last frame, and ends their connections. */
    @Override
    public void close() {
        closed = true; // an interrupt while a message is written would break its connection
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        frames.take().ifPresent(this::pass);
        viewers.forEach(Viewer::close);
    }
}
