package headscope.cli;

import headscope.analysis.watch.CapturedWatch;
import headscope.live.LiveRun;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * A captured text.
 *
 * @param untilStopped whether viewers stay when the text is shown
 */
record WatchedCapture(
        CapturedWatch watch, Consumer<Frame> frames, BlockingQueue<Command> commands, boolean untilStopped)
        implements LiveRun.Producer {
    @Override
    public void run() throws InterruptedException {
        watch.run(frames, commands, untilStopped);
    }

    @Override
    public void abandon() {
        watch.abandon();
    }
}
