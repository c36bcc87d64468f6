package headscope.cli;

import headscope.analysis.watch.AttachedWatch;
import headscope.live.LiveRun;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * A model in another process.
 *
 * @param untilStopped whether viewers wait for another process when this one has ended
 */
record AttachedModel(
        AttachedWatch watch, Consumer<Frame> frames, BlockingQueue<Command> commands, boolean untilStopped)
        implements LiveRun.Producer {
    @Override
    public void run() throws InterruptedException {
        watch.run(frames, commands, untilStopped);
    }

    /** What has come through the tap is shown at once: there is nothing to abandon. */
    @Override
    public void abandon() {}
}
