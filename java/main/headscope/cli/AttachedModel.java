package headscope.cli;

import headscope.analysis.watch.AttachedWatch;
import headscope.live.LiveRun;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/** A model in another process. */
record AttachedModel(AttachedWatch watch, Consumer<Frame> frames, BlockingQueue<Command> commands)
        implements LiveRun.Producer {
    @Override
    public void run() throws InterruptedException {
        watch.run(frames, commands);
    }

    /** What has come through the tap is shown at once: there is nothing to abandon. */
    @Override
    public void abandon() {}
}
