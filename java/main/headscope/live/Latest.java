package headscope.live;

import headscope.result.frame.Frame;
import java.time.Duration;
import java.util.Optional;

/**
 * One slot between the thread that computes and one viewer. {@link #put} never waits: a frame that the viewer has not
 * taken yet is joined with the next one and counted as dropped. Every viewer has a slot of its own.
 */
public final class Latest {
    private Optional<Frame> frame = Optional.empty();
    private long dropped;

    /** Called by the thread that computes. */
    public synchronized void put(Frame next) {
        if (frame.isPresent()) {
            dropped++;
            frame = Optional.of(frame.get().then(next));
        } else {
            frame = Optional.of(next);
        }
        notifyAll();
    }

    /**
     * Everything since the last call as one frame, with the number of frames dropped so far, here and before; empty if
     * nothing is new.
     */
    public synchronized Optional<Frame> take() {
        Optional<Frame> taken = frame.map(next -> next.withDropped(next.dropped() + dropped));
        frame = Optional.empty();
        return taken;
    }

    /** Number of frames dropped so far, here and before. */
    public synchronized long dropped() {
        return dropped + frame.map(Frame::dropped).orElse(0L);
    }

    /** Like {@link #take()}, after waiting for a frame at most this long. */
    public synchronized Optional<Frame> take(Duration timeout) throws InterruptedException {
        long end = System.nanoTime() + timeout.toNanos();
        for (long left = timeout.toNanos(); frame.isEmpty() && left > 0; left = end - System.nanoTime()) {
            wait(Math.max(1, left / 1_000_000));
        }
        return take();
    }
}
