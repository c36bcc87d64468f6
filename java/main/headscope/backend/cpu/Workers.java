package headscope.backend.cpu;

import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * The one pool of a backend. The caller works along, so n workers are n - 1 threads. Who waits looks out for a
 * while before it sleeps: a small model's operations follow each other faster than the system wakes a thread.
 */
final class Workers implements AutoCloseable {
    /** How long to look out: about what sleeping and waking cost. */
    private static final long AWAKE_NANOS = 50_000;
    private static final Job NONE = new Job(0, piece -> {});
    private static final Job CLOSED = new Job(0, piece -> {});

    private final int count;
    private final List<Thread> threads;
    private volatile Job newest = NONE;

    Workers(int count) {
        this.count = count;
        ThreadFactory factory = Thread.ofPlatform().daemon().name("headscope-", 1).factory();
        this.threads = Stream.generate(() -> factory.newThread(this::serve)).limit(count - 1L).toList();
        threads.forEach(Thread::start);
    }

    int count() {
        return count;
    }

    /** Runs piece 0 .. pieces - 1, the next free worker taking the next piece; returns when all are done. */
    void each(int pieces, IntConsumer work) {
        Job job = new Job(pieces, work);
        int extra = Math.min(count, pieces) - 1;
        if (extra > 0) {
            newest = job;
            threads.subList(0, extra).forEach(LockSupport::unpark);
        }
        job.share();
        job.await();
    }

    private void serve() {
        for (Job job = after(NONE); job != CLOSED; job = after(job)) {
            job.share();
        }
    }

    private Job after(Job seen) {
        long asleep = System.nanoTime() + AWAKE_NANOS;
        Job job = newest;
        for (; job == seen; job = newest) {
            waitOnce(asleep);
        }
        return job;
    }

    private static void waitOnce(long asleep) {
        if (System.nanoTime() - asleep < 0) {
            Thread.onSpinWait();
        } else {
            LockSupport.park();
        }
    }

    @Override
    public void close() {
        newest = CLOSED;
        threads.forEach(LockSupport::unpark);
    }

    /** SplitOnOutOfMemory that workers take until none is left. */
    private static final class Job {
        private final Thread caller = Thread.currentThread();
        private final int pieces;
        private final IntConsumer work;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger unfinished;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        Job(int pieces, IntConsumer work) {
            this.pieces = pieces;
            this.work = work;
            this.unfinished = new AtomicInteger(pieces);
        }

        void share() {
            for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                try {
                    if (failure.get() == null) {
                        work.accept(piece);
                    }
                } catch (RuntimeException | Error thrown) {
                    failure.compareAndSet(null, thrown);
                }
                if (unfinished.decrementAndGet() == 0) {
                    LockSupport.unpark(caller);
                }
            }
        }

        /** Also through an interruption, which stays set: the pieces still use the caller's memory. */
        void await() {
            long asleep = System.nanoTime() + AWAKE_NANOS;
            while (unfinished.get() > 0) {
                waitOnce(asleep);
            }
            if (failure.get() instanceof RuntimeException thrown) {
                throw thrown;
            }
            if (failure.get() instanceof Error thrown) {
                throw thrown;
            }
        }
    }
}
