package headscope.live;

import headscope.result.ResultFormatException;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.FrameSource;
import headscope.result.frame.RecordedFrame;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Plays a recording: gives its frames at the times at which they were recorded, and carries out the commands of viewers.
 * All work is done by the thread that calls {@link #run}. A recording that is still being written is followed.
 */
public final class Replay implements AutoCloseable {
    /** Longer gaps between frames, such as a pause, are shortened to this. */
    static final Duration MAX_GAP = Duration.ofSeconds(2);

    /** As fast or as slow as viewers can make it. */
    private static final double MAX_SPEED = 1000;

    /** A replay that is late by less catches up. */
    private static final long MAX_LATE_NANOS = 100_000_000;

    /** How often the end of the file is looked at again. */
    private static final Duration FOLLOW = Duration.ofMillis(100);

    /** How long frames repeat a message. */
    private static final Duration NOTICE = Duration.ofSeconds(3);

    private final FrameFileReader file;
    private final Consumer<Frame> frames;
    private final BlockingQueue<Command> commands;
    private double speed;

    private volatile double played;
    private boolean paused;
    private boolean step;
    private boolean stopped;
    private boolean moved;

    /** The text that is played: its number in the recording, its first frame in the file, its number for viewers. */
    private int recorded = -1;
    private long textStart;
    private int text = -1;

    private Optional<Frame> shown = Optional.empty();
    private Optional<ChosenHead> chosen = Optional.empty();
    private long shownNanos;
    private long clock;
    private String notice = "";
    private long noticed;

    /**
     * @param speed    1 as recorded; infinite without waiting
     * @param frames   receives every frame and must not block
     * @param commands of all viewers
     */
    public Replay(Path file, double speed, Consumer<Frame> frames, BlockingQueue<Command> commands) {
        this.file = FrameFileReader.open(file);
        this.speed = speed;
        this.frames = frames;
        this.commands = commands;
        this.textStart = this.file.position();
    }

    public FrameSource source() {
        return file.source();
    }

    /** The share of the recording that has been played, by its bytes; it falls when a recording grows. Called by any thread. */
    public double played() {
        return played;
    }

    /**
     * Plays all texts of the recording.
     *
     * @param from         tokens of the first text that are shown at once
     * @param untilStopped whether to wait for commands and for more frames at the end; otherwise returns
     */
    public void run(int from, boolean untilStopped) throws InterruptedException {
        try {
            play(from, untilStopped);
        } catch (ResultFormatException damaged) {
            tell(State.FAILED, damaged.getMessage());
            throw damaged;
        }
    }

    private void play(int from, boolean untilStopped) throws InterruptedException {
        clock = System.nanoTime();
        if (from > 0) {
            seek(from);
        }
        boolean more = true;
        while (more && !stopped) {
            moved = false;
            long start = file.position();
            Optional<RecordedFrame> next = file.next();
            if (next.isPresent()) {
                waitFor(next.get().nanos());
                if (!moved && !stopped) {
                    show(next.get(), start);
                }
            } else {
                end();
                more = untilStopped;
                if (more) {
                    obey(commands.poll(FOLLOW.toMillis(), TimeUnit.MILLISECONDS));
                }
            }
        }
    }

    /** Carries out commands until the time of a frame has come, or a command makes another frame the next. */
    private void waitFor(long nanos) throws InterruptedException {
        if (shown.isEmpty()) {
            shownNanos = nanos;
        }
        double gap = Math.clamp(nanos - shownNanos, 0, MAX_GAP.toNanos());
        boolean due = false;
        step = false;
        while (!due && !stopped && !moved) {
            long left = clock + (long) (gap / speed) - System.nanoTime();
            Command command = paused ? commands.take() : commands.poll(Math.max(0, left), TimeUnit.NANOSECONDS);
            obey(command);
            due = step || command == null && !paused;
        }
        clock = paused ? System.nanoTime()
                : Math.max(clock + (long) (gap / speed), System.nanoTime() - MAX_LATE_NANOS);
    }

    private void show(RecordedFrame next, long start) {
        Frame frame = next.frame();
        if (frame.text() != recorded) {
            recorded = frame.text();
            textStart = start;
            text++;
            chosen = Optional.empty();
        }
        shownNanos = next.nanos();
        State state = paused ? State.PAUSED : frame.state() == State.PAUSED ? State.RUNNING : frame.state();
        emit(frame, state, message(frame.message()));
    }

    private String message(String other) {
        return System.nanoTime() - noticed < NOTICE.toNanos() ? notice : other;
    }

    private void emit(Frame frame, State state, String message) {
        Frame renamed = new Frame(
                text, state, message, frame.step(), frame.firstToken(), frame.tokens(), frame.layersRead(), frame.metrics(),
                frame.bin(), frame.atlas(), frame.chosen(), frame.tokensPerSecond(), frame.memoryBytes(), frame.dropped(),
                frame.past());
        shown = Optional.of(renamed);
        played = file.share();
        chosen = frame.chosen().or(() -> chosen);
        frames.accept(renamed);
    }

    /** Tells viewers the state and a message, without new tokens. */
    private void tell(State state, String message) {
        shown.ifPresent(frame -> emit(
                new Frame(frame.text(), state, message, frame.step(), frame.end(), List.of(), frame.layersRead(),
                        frame.metrics(), frame.bin(), List.of(), Optional.empty(), frame.tokensPerSecond(),
                        frame.memoryBytes(), frame.dropped()),
                state, message));
    }

    private void tell(String message) {
        notice = message;
        noticed = System.nanoTime();
        shown.ifPresent(frame -> tell(frame.state(), message));
    }

    /** Tells viewers once that nothing follows. */
    private void end() {
        String message = file.isCut() ? "the recording ends within a frame, which is not shown" : "the recording ends here";
        boolean known = shown.isEmpty() || shown.get().message().equals(message)
                || shown.get().state() == State.ENDED && !file.isCut() || shown.get().state() == State.FAILED;
        if (!known) {
            tell(State.ENDED, message);
        }
    }

    private void obey(Command command) {
        switch (command) {
            case null -> { }
            case Command.Pause _ -> pause();
            case Command.End _ -> pause();
            case Command.Step _ -> {
                pause();
                step = true;
            }
            case Command.Resume _ -> {
                paused = false;
                clock = System.nanoTime();
            }
            case Command.Speed(double times) -> {
                speed = Math.clamp(speed * times, 1 / MAX_SPEED, MAX_SPEED);
                tell("playing %s times as fast as recorded".formatted(speed));
            }
            case Command.Move(int tokens) -> {
                long to = (long) shown.map(Frame::end).orElse(0) + tokens;
                seek(Math.clamp(to, 0, Integer.MAX_VALUE));
            }
            case Command.Pick(int layer, int head) -> pick(layer, head);
            case Command.Restart _ -> tell("a recording has no model that could read another prompt");
            case Command.Stop _ -> stopped = true;
        }
    }

    private void pause() {
        if (!paused) {
            paused = true;
            tell(State.PAUSED, "");
        }
    }

    private void pick(int layer, int head) {
        boolean known = chosen.filter(now -> now.layer() == layer && now.head() == head).isPresent();
        if (!known) {
            tell("the map of layer %d, head %d was not recorded%s".formatted(layer, head, chosen
                    .map(now -> "; shown is layer %d, head %d".formatted(now.layer(), now.head())).orElse("")));
        }
    }

    /** Shows the text when it had this many tokens, or its end if it never had. */
    private void seek(int tokens) {
        file.moveTo(textStart);
        LiveText sofar = new LiveText(source());
        boolean found = false;
        while (!found) {
            long start = file.position();
            Optional<RecordedFrame> next = file.next();
            boolean other = next.isPresent() && sofar.frame().isPresent()
                    && next.get().frame().text() != sofar.frame().get().text();
            if (other) {
                file.moveTo(start);
            }
            found = next.isEmpty() || other;
            if (!found) {
                sofar.add(next.get().frame());
                recorded = next.get().frame().text();
                shownNanos = next.get().nanos();
                found = next.get().frame().end() >= tokens && next.get().frame().layersRead() == source().layers();
            }
        }
        if (sofar.frame().isPresent()) {
            text++;
            moved = true;
            clock = System.nanoTime();
            emit(KeyFrame.of(sofar), paused ? State.PAUSED : State.RUNNING, "");
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
