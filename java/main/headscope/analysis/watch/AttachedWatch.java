package headscope.analysis.watch;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import headscope.result.tapped.Tapped;
import headscope.result.tapped.TappedAttention;
import headscope.result.tapped.TappedTokens;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Watches every head of a model in another process: gives a frame for each of its passes. All work is done by the calling
 * thread; the other process never waits for it.
 */
public final class AttachedWatch implements AutoCloseable {
    private static final long IDLE_MILLIS = 2;

    /** Minimum time between two reports of what has not arrived. */
    private static final long NANOS_BETWEEN_REPORTS = 500_000_000;

    private final Backend backend;
    private final Tap tap;
    private final WatchRequest request;
    private final TappedText tapped;
    private final Deque<Tapped> waiting = new ArrayDeque<>();
    private Optional<FrameSource> source = Optional.empty();

    private int texts;
    private int number; // of the current text, as the tap counts
    private int restarts;
    private int layer;
    private int head;
    private boolean stopped;
    private volatile Tap.Missing missing = Tap.Missing.NOTHING;
    private long missingSince = System.nanoTime() - NANOS_BETWEEN_REPORTS;
    private Optional<AttachedText> text = Optional.empty();
    private Optional<WatchedText> watched = Optional.empty();

    /** @param capacity maximum number of tokens of a text */
    public AttachedWatch(Backend backend, Tap tap, WatchRequest request, int capacity) {
        this.backend = backend;
        this.tap = tap;
        this.request = request;
        this.tapped = new TappedText(backend, tap.layers(), capacity, Optional.of(request.atlas()));
        this.restarts = tap.restarts();
    }

    /**
     * Waits until the other model has computed something, and describes it.
     *
     * @param name of the model, for people
     * @throws InputException if the other process ends before that
     */
    public FrameSource await(String name) throws InterruptedException {
        while (true) {
            boolean feeds = tap.hasProducer(); // asked first: what it has left is still shown
            Optional<Tapped> message = tap.poll();
            message.ifPresent(waiting::add);
            if (message.isPresent() && message.get() instanceof TappedAttention first) {
                FrameSource described = request.source(
                        name, backend, tap.layers(), first.heads(), first.causal(), 0, 0);
                source = Optional.of(described);
                return described;
            }
            InputException.require(message.isPresent() || feeds,
                    name + ": the feeding process has ended; start it again");
            if (message.isEmpty()) {
                Thread.sleep(IDLE_MILLIS);
            }
        }
    }

    /**
     * Watches what comes, after {@link #await}, until {@link Command.Stop}.
     *
     * @param untilStopped whether to wait for another process when this one has ended
     */
    public void run(Consumer<Frame> frames, BlockingQueue<Command> commands, boolean untilStopped)
            throws InterruptedException {
        boolean fed = true;
        while (!stopped) {
            boolean feeds = tap.hasProducer(); // likewise
            Optional<Tapped> message = Optional.ofNullable(waiting.poll()).or(tap::poll);
            if (message.isPresent()) {
                show(message.get(), frames);
            } else if (fed != feeds) {
                fed = feeds;
                stopped = !fed && !untilStopped;
                say(fed ? "" : "the feeding process has ended; when it is started again, its texts are shown");
            }
            reportMissing();
            Command command = message.isPresent() ? commands.poll() : commands.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
            if (command != null) {
                carryOut(command);
            }
        }
    }

    /** What has not arrived so far. Called by any thread. */
    public Tap.Missing missing() {
        return missing;
    }

    /** Tells viewers what has not arrived. */
    private void reportMissing() {
        Tap.Missing now = tap.missing();
        if (!now.equals(missing) && System.nanoTime() - missingSince > NANOS_BETWEEN_REPORTS) {
            missing = now;
            missingSince = System.nanoTime();
            watched.ifPresent(WatchedText::again);
        }
    }

    private void show(Tapped message, Consumer<Frame> frames) {
        if (restarts != tap.restarts() || message.text() != number) {
            begin(message.text(), frames);
        }
        switch (message) {
            case TappedTokens tokens -> text.orElseThrow().name(tokens);
            case TappedAttention rows -> show(rows, watched.orElseThrow());
        }
    }

    private void show(TappedAttention rows, WatchedText shown) {
        FrameSource described = source.orElseThrow();
        if (tap.layers() != described.layers() || rows.heads() != described.heads() || rows.causal() != described.causal()) {
            shown.say("the feeding process now has a model with %d %s layers of %d heads: start this program again".formatted(
                    tap.layers(), rows.causal() ? "causal" : "bidirectional", rows.heads()));
            return;
        }
        Optional<String> before = tapped.ignored();
        tapped.append(rows, shown);
        Optional<String> ignored = tapped.ignored();
        if (ignored.isPresent() && !ignored.equals(before)) {
            shown.say(ignored.get());
        } else if (ignored.isEmpty() && rows.layer() == tap.layers() - 1 && tapped.tokens() == rows.end()) {
            shown.passed();
            shown.begin();
        }
    }

    private void begin(int next, Consumer<Frame> frames) {
        if (restarts != tap.restarts()) {
            restarts = tap.restarts();
            tapped.clear();
        }
        number = next;
        FrameSource described = source.orElseThrow();
        AttachedText begun = new AttachedText(
                backend, tapped, described.layers(), described.heads(), described.causal());
        WatchedText shown = new WatchedText(begun, request, texts++, frames, () -> stopped);
        shown.pick(layer, head);
        shown.begin();
        text = Optional.of(begun);
        watched = Optional.of(shown);
    }

    private void say(String line) {
        watched.ifPresent(shown -> shown.say(line));
    }

    private void carryOut(Command command) {
        switch (command) {
            case Command.Stop _ -> stopped = true;
            case Command.Pick(int chosenLayer, int chosenHead) -> {
                if (source.orElseThrow().has(chosenLayer, chosenHead)) {
                    layer = chosenLayer;
                    head = chosenHead;
                    watched.ifPresent(shown -> shown.pick(layer, head));
                }
            }
            case Command.Pause _, Command.Resume _, Command.Step _, Command.End _, Command.Restart _, Command.Move _,
                    Command.Speed _ -> say("the model runs in another process, which alone controls it");
        }
    }

    @Override
    public void close() {
        tapped.close();
    }
}
