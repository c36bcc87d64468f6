package headscope.live;

import headscope.result.frame.Frame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * One slot between the thread that computes and one viewer. Frames that the viewer has not taken yet are joined when it
 * takes them, and counted as dropped. Every viewer has a slot of its own.
 *
 * <p>{@link #put} never waits, and holds no lock: a viewer's thread has a low priority, and the thread that computes would
 * wait for it while it is not scheduled.
 */
public final class Latest {
    /** When as many frames wait, the thread that computes joins them, which bounds memory. */
    private static final int MAX_WAITING = 32;

    private final AtomicReference<Waiting> waiting = new AtomicReference<>(Waiting.NONE);
    private final AtomicLong dropped = new AtomicLong();
    private volatile Optional<Thread> sleeper = Optional.empty();

    /**
     * Frames that wait, the newest first.
     *
     * @param depth number of frames in the chain
     * @param count number of frames before any were joined
     */
    private record Waiting(Optional<Frame> newest, Optional<Waiting> earlier, int depth, long count) {
        static final Waiting NONE = new Waiting(Optional.empty(), Optional.empty(), 0, 0);

        Waiting then(Frame next) {
            Waiting before = depth < MAX_WAITING ? this : new Waiting(joined(), Optional.of(NONE), 1, count);
            return new Waiting(Optional.of(next), Optional.of(before), before.depth + 1, count + 1);
        }

        Optional<Frame> joined() {
            List<Frame> frames = new ArrayList<>();
            for (Waiting at = this; at.depth > 0; at = at.earlier.orElseThrow()) {
                frames.add(at.newest.orElseThrow());
            }
            return frames.isEmpty() ? Optional.empty() : Optional.of(Latest.joined(frames.reversed()));
        }
    }

    /** By halves, so that a row is copied log n times rather than n times. */
    private static Frame joined(List<Frame> frames) {
        int half = frames.size() / 2;
        return half == 0 ? frames.getFirst()
                : joined(frames.subList(0, half)).then(joined(frames.subList(half, frames.size())));
    }

    /** Called by the thread that computes. */
    public void put(Frame next) {
        Waiting before = waiting.getAndUpdate(chain -> chain.then(next));
        if (before.depth == 0) {
            sleeper.ifPresent(LockSupport::unpark);
        }
    }

    /**
     * Everything since the last call as one frame, with the number of frames dropped so far, here and before; empty if
     * nothing is new.
     */
    public Optional<Frame> take() {
        Waiting taken = waiting.getAndSet(Waiting.NONE);
        return taken.joined().map(frame -> frame.withDropped(frame.dropped() + dropped.addAndGet(taken.count - 1)));
    }

    /** Number of frames dropped so far, here and before. */
    public long dropped() {
        Waiting now = waiting.get();
        return dropped.get() + now.newest.map(frame -> now.count - 1 + frame.dropped()).orElse(0L);
    }

    /** Like {@link #take()}, after waiting for a frame at most this long. Called by one thread at a time. */
    public Optional<Frame> take(Duration timeout) throws InterruptedException {
        long end = System.nanoTime() + timeout.toNanos();
        sleeper = Optional.of(Thread.currentThread());
        for (long left = timeout.toNanos(); waiting.get().depth == 0 && left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        sleeper = Optional.empty();
        return take();
    }
}
