package headscope.live;

import headscope.result.frame.Frame;
import headscope.result.frame.FrameFileWriter;
import headscope.result.frame.FrameSource;
import headscope.result.frame.RecordedFrame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Records frames in a file, on a thread of its own: {@link #accept} never waits for the disk. If the disk is slower than
 * the model, frames are joined and counted; what is known of the text is always recorded.
 */
public final class Recorder implements Consumer<Frame>, AutoCloseable {
    /** Frames that wait for the disk one by one; further ones are joined with the last of them. */
    private static final int MAX_WAITING = 32;

    /** In the names of files. */
    public static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS");

    private final Path path;
    private final FrameFileWriter file;
    private final Consumer<String> failures;
    private final Deque<RecordedFrame> waiting = new ArrayDeque<>();
    private final long begun = System.nanoTime();
    private final Thread thread;
    private long joined;
    private boolean empty = true;
    private boolean ended;

    private Recorder(Path path, FrameFileWriter file, Consumer<String> failures) {
        this.path = path;
        this.file = file;
        this.failures = failures;
        this.thread = Thread.ofPlatform().name("recorder").daemon().start(this::write);
    }

    /**
     * Begins a recording.
     *
     * @param failures receives one line if the disk fails later; the recording then ends, and the model goes on
     * @throws UncheckedIOException with a message of one line if the file exists or cannot be written
     */
    public static Recorder open(Path file, FrameSource source, Consumer<String> failures) {
        return new Recorder(file, FrameFileWriter.create(file, source), failures);
    }

    /**
     * Begins a recording with the text so far, in a file named after the time.
     *
     * @param folder is created if necessary
     * @param text   of at least one frame
     * @throws UncheckedIOException as {@link #open}
     */
    public static Recorder begin(Path folder, LiveText text, Consumer<String> failures) {
        try {
            Files.createDirectories(folder);
        } catch (IOException problem) {
            throw new UncheckedIOException("%s: cannot be created".formatted(folder), problem);
        }
        Path file = folder.resolve("live-%s.frames".formatted(LocalDateTime.now().format(TIME)));
        Recorder begun = open(file, text.source(), failures);
        begun.accept(KeyFrame.of(text));
        return begun;
    }

    public Path file() {
        return path;
    }

    /** Records the next frame of the stream; the first one must hold all of its text, see {@link KeyFrame}. */
    @Override
    public synchronized void accept(Frame frame) {
        if (ended) {
            return;
        }
        empty = false;
        Frame next = frame;
        if (waiting.size() >= MAX_WAITING && waiting.getLast().frame().text() == frame.text()) {
            joined++;
            next = waiting.removeLast().frame().then(frame).withDropped(joined);
        }
        waiting.addLast(new RecordedFrame(System.nanoTime() - begun, next));
        notifyAll();
    }

    /** Number of frames that were joined with the one before because the disk was busy. */
    public synchronized long joined() {
        return joined;
    }

    /** Whether no frame has come; such a recording is removed when it is closed. */
    public synchronized boolean isEmpty() {
        return empty;
    }

    /** Whether nothing is recorded any more, because the disk has failed or the recording is closed. */
    public synchronized boolean hasEnded() {
        return ended;
    }

    private void write() {
        try {
            for (Optional<RecordedFrame> next = take(); next.isPresent(); next = take()) {
                file.write(next.get());
            }
        } catch (UncheckedIOException failure) {
            end();
            failures.accept("%s; the recording ends here, the model goes on".formatted(failure.getMessage()));
        }
    }

    /** The next frame to write; empty once the recording has ended. */
    private synchronized Optional<RecordedFrame> take() {
        try {
            while (waiting.isEmpty() && !ended) {
                wait();
            }
        } catch (InterruptedException stopped) {
            return Optional.empty();
        }
        return Optional.ofNullable(waiting.pollFirst());
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }

    /** Writes the frames that wait, and ends the recording; removes its file if it has no frames. */
    @Override
    public void close() {
        end();
        try {
            thread.join();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        file.close();
        if (isEmpty()) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException problem) {
                throw new UncheckedIOException("%s: has no frames and cannot be removed".formatted(path), problem);
            }
        }
    }
}
