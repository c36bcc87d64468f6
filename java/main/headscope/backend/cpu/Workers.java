package headscope.backend.cpu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/** The one pool of a backend. The caller works along, so n workers are n - 1 threads. */
final class Workers implements AutoCloseable {
    private final int count;
    private final ExecutorService threads;

    Workers(int count) {
        this.count = count;
        this.threads = Executors.newFixedThreadPool(
                Math.max(1, count - 1), Thread.ofPlatform().daemon().name("headscope-", 1).factory());
    }

    int count() {
        return count;
    }

    /** Runs piece 0 .. pieces - 1, the next free worker taking the next piece; returns when all are done. */
    void each(int pieces, IntConsumer work) {
        int extra = Math.min(count, pieces) - 1;
        if (extra <= 0) {
            for (int piece = 0; piece < pieces; piece++) {
                work.accept(piece);
            }
            return;
        }
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(extra);
        Runnable share = () -> {
            try {
                for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                    work.accept(piece);
                }
            } catch (RuntimeException | Error thrown) {
                failure.compareAndSet(null, thrown);
                next.set(pieces);
            }
        };
        for (int i = 0; i < extra; i++) {
            threads.execute(() -> {
                share.run();
                done.countDown();
            });
        }
        share.run();
        await(done);
        if (failure.get() instanceof RuntimeException thrown) {
            throw thrown;
        }
        if (failure.get() instanceof Error thrown) {
            throw thrown;
        }
    }

    private static void await(CountDownLatch done) {
        boolean interrupted = false;
        while (true) {
            try {
                done.await();
                break;
            } catch (InterruptedException wait) {
                interrupted = true; // the pieces still use the caller's memory: finish, then pass it on
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        threads.shutdown();
    }
}
