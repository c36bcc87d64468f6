package headscope.cli;

import headscope.analysis.watch.Watch;
import headscope.live.LiveRun;

/**
 * A model that reads a prompt and continues it.
 *
 * @param untilStopped whether viewers may go on to other prompts
 */
record WatchedPrompt(Watch watch, String prompt, boolean untilStopped) implements LiveRun.Producer {
    @Override
    public void run() throws InterruptedException {
        watch.run(prompt, untilStopped);
    }

    @Override
    public void abandon() {
        watch.abandon();
    }
}
