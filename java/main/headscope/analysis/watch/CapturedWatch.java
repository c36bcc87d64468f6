package headscope.analysis.watch;

import headscope.backend.Backend;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import headscope.result.tapped.CapturedText;
import headscope.result.tapped.TappedAttention;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/** Watches every head over a captured text: the whole text is one pass, because the file does not record the original passes. */
public final class CapturedWatch implements AutoCloseable {
    private final Backend backend;
    private final CapturedText captured;
    private final WatchRequest request;
    private final FrameSource source;
    private final TappedText tapped;
    private volatile boolean abandoned;

    /** @param name of the text, for people */
    public CapturedWatch(Backend backend, CapturedText captured, WatchRequest request, String name) {
        TappedAttention first = captured.layers().getFirst();
        this.backend = backend;
        this.captured = captured;
        this.request = request;
        this.source = request.source(name, backend, captured.layers().size(), first.heads(), first.causal(), 0, 0);
        this.tapped = new TappedText(
                backend, captured.layers().size(), captured.tokens(), Optional.of(request.atlas()));
    }

    /** What all frames have in common. */
    public FrameSource source() {
        return source;
    }

    /**
     * Shows the text.
     *
     * @param untilStopped whether to wait for commands then; otherwise returns
     */
    public void run(Consumer<Frame> frames, BlockingQueue<Command> commands, boolean untilStopped)
            throws InterruptedException {
        AttachedText text = new AttachedText(backend, tapped, source.layers(), source.heads(), source.causal());
        captured.named().ifPresent(text::name);
        WatchedText watched = new WatchedText(text, request, 0, frames, () -> abandoned);
        try {
            watched.begin();
            captured.layers().forEach(layer -> tapped.append(layer, watched));
            watched.passed();
            watched.announce(State.ENDED);
        } catch (WatchedText.Abandoned stop) {
            return;
        }
        boolean stopped = !untilStopped;
        while (!stopped) {
            stopped = carryOut(commands.take(), watched);
        }
    }

    /** @return whether the command ends the watch */
    private boolean carryOut(Command command, WatchedText watched) {
        switch (command) {
            case Command.Stop _ -> {
                return true;
            }
            case Command.Pick(int layer, int head) -> {
                if (source.has(layer, head)) {
                    watched.pick(layer, head);
                }
            }
            case Command.Pause _, Command.Resume _, Command.Step _, Command.End _, Command.Restart _, Command.Move _,
                    Command.Speed _ -> watched.say("a captured text is shown as a whole; there is no model to continue it");
        }
        return false;
    }

    /** Ends {@link #run} after the layer that it computes. May be called by any thread. */
    public void abandon() {
        abandoned = true;
    }

    @Override
    public void close() {
        tapped.close();
    }
}
