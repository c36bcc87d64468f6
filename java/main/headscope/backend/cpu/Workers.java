package headscope.backend.cpu;

import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * Thread pool of a backend. The caller is one of the workers, so n workers need n - 1 threads. Waiting threads spin for a while
 * before they park: in a small model, operations follow each other faster than the operating system can wake a thread.
 */
final class Workers implements AutoCloseable {
    /** Time to spin: about the cost of parking and unparking. */
    private static final long SPIN_NANOS = 50_000;
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

    /** Runs pieces 0 to pieces - 1 on the idle workers, and returns when all have finished. */
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

    private Job after(Job finished) {
        long parkTime = System.nanoTime() + SPIN_NANOS;
        Job job = newest;
        for (; job == finished; job = newest) {
            waitOnce(parkTime);
        }
        return job;
    }

    private static void waitOnce(long parkTime) {
        if (System.nanoTime() - parkTime < 0) {
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

    /** Pieces of work that workers take until none is left. */
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

        /**
         * Waits even if interrupted, because running pieces use the caller's memory; the interrupt status stays set.
         */
        void await() {
            long parkTime = System.nanoTime() + SPIN_NANOS;
            while (unfinished.get() > 0) {
                waitOnce(parkTime);
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
