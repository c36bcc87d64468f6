package headscope.live;

import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Joins one producer of frames with any number of viewers. Frames go to the slot of each viewer, without waiting for any;
 * commands of all viewers go to the producer, in order and without loss.
 */
public final class FrameStream implements Consumer<Frame> {
    private final FrameSource source;
    private final Consumer<Command> commands;
    private final List<Latest> viewers = new CopyOnWriteArrayList<>();

    /** @param commands must not block */
    public FrameStream(FrameSource source, Consumer<Command> commands) {
        this.source = source;
        this.commands = commands;
    }

    public FrameSource source() {
        return source;
    }

    /** The slot of a new viewer, which receives the frames from now on. */
    public Latest subscribe() {
        Latest slot = new Latest();
        viewers.add(slot);
        return slot;
    }

    public void unsubscribe(Latest slot) {
        viewers.remove(slot);
    }

    /** Called by the producer. */
    @Override
    public void accept(Frame frame) {
        viewers.forEach(slot -> slot.put(frame));
    }

    /** Called by viewers. */
    public void send(Command command) {
        commands.accept(command);
    }
}
