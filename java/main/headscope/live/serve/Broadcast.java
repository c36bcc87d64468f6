package headscope.live.serve;

import headscope.figure.Figure;
import headscope.live.FrameStream;
import headscope.live.KeyFrame;
import headscope.live.Latest;
import headscope.live.LiveText;
import headscope.live.MetricHistory.Curve;
import headscope.live.Recorder;
import headscope.live.SourceStatus;
import headscope.live.ThreadPriority;
import headscope.live.ViewState;
import headscope.live.control.LivePicture;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

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
    private final Path folder;
    private final Supplier<SourceStatus> status;
    private final Pictures pictures = new Pictures();
    private String prompt;
    private Optional<Recorder> recorder = Optional.empty();
    private volatile boolean closed;

    /**
     * @param frames of the stream, from the first one on
     * @param folder for recordings
     * @param status of the producer
     */
    Broadcast(
            FrameStream stream, Latest frames, String prompt, Path folder, Supplier<SourceStatus> status) {
        this.status = status;
        this.folder = folder;
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
        recorder.ifPresent(file -> file.accept(frame));
    }

    private synchronized void attend() {
        long now = System.nanoTime();
        if (recorder.filter(Recorder::hasEnded).isPresent()) {
            endRecording();
        }
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
        recorder.ifPresent(file -> viewer.recording(file.file().toString()));
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

    SourceStatus status() {
        return status.get();
    }

    Pictures pictures() {
        return pictures;
    }

    /** What a viewer sees, for print; empty before there is something. */
    synchronized Optional<Figure> figure(ViewState view) {
        return text.frame().filter(frame -> frame.cells() > 0).map(_ -> LivePicture.of(text, view));
    }

    /** Begins a recording of the text so far and what follows, or ends it. @return why there is none, in one line */
    synchronized Optional<String> record() {
        if (source().recorded()) {
            return Optional.of("a recording is being played, which cannot be recorded");
        }
        if (recorder.isPresent()) {
            Path file = recorder.get().file();
            endRecording();
            tell("recorded: " + file);
        } else if (text.frame().isPresent()) {
            try {
                Recorder begun = Recorder.begin(folder, text, this::tell);
                recorder = Optional.of(begun);
                viewers.forEach(viewer -> viewer.recording(begun.file().toString()));
                tell("recording to " + begun.file());
            } catch (UncheckedIOException refused) {
                return Optional.of("no recording: " + refused.getMessage());
            }
        }
        return Optional.empty();
    }

    private void endRecording() {
        Optional<Recorder> ended = recorder;
        recorder = Optional.empty();
        try {
            ended.ifPresent(Recorder::close);
        } catch (UncheckedIOException problem) {
            tell(problem.getMessage());
        }
        viewers.forEach(viewer -> viewer.recording("")); // the file is complete
    }

    /** Shows a line to all viewers. May be called by any thread. */
    private void tell(String line) {
        viewers.forEach(viewer -> viewer.notice(line));
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
        viewers.forEach(Viewer::end);
        viewers.forEach(Viewer::close);
        recorder.ifPresent(Recorder::close);
        pictures.close();
    }
}
