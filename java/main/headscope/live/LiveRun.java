package headscope.live;

import headscope.result.frame.Command;
import java.util.Optional;

/**
 * A producer of frames at work in a thread of its own. It never waits for viewers. Closing it ends the producer and
 * reports why it failed, if it did.
 */
public final class LiveRun implements AutoCloseable {
    private final FrameStream stream;
    private final Producer producer;
    private final Thread thread;
    private volatile boolean stopping;
    private volatile Optional<Throwable> failure = Optional.empty();

    /** Where frames come from. */
    public interface Producer {
        /** Gives frames to the stream until there are no more, or until {@link Command.Stop}. */
        void run() throws InterruptedException;

        /** Called by any thread. */
        default SourceStatus status() {
            return SourceStatus.NONE;
        }

        /** Ends what the producer computes at present. Called by any thread, before it receives {@link Command.Stop}. */
        void abandon();
    }

    /** Starts the producer. */
    public LiveRun(FrameStream stream, Producer producer) {
        this.stream = stream;
        this.producer = producer;
        this.thread = Thread.ofPlatform().name("frames").start(this::produce);
    }

    private void produce() {
        try {
            producer.run();
        } catch (Throwable problem) {
            failure = Optional.of(problem);
        }
    }

    public FrameStream stream() {
        return stream;
    }

    /** What viewers show of the producer. */
    public SourceStatus status() {
        return producer.status();
    }

    /** Asks the producer and all viewers to end. May be called by any thread. */
    public void stop() {
        stopping = true;
        producer.abandon();
        stream.send(new Command.Stop());
    }

    /** Whether viewers should end. */
    public boolean stopping() {
        return stopping;
    }

    /** Whether no more frames will come. */
    public boolean ended() {
        return !thread.isAlive();
    }

    /** Ends the producer and waits for it. @throws RuntimeException what the producer threw, as do errors */
    @Override
    public void close() {
        stop();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        switch (failure.orElse(null)) {
            case RuntimeException problem -> throw problem;
            case Error problem -> throw problem;
            case null, default -> { }
        }
    }
}
