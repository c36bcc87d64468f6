package headscope.cli;

import headscope.live.LiveRun;
import headscope.live.Replay;
import java.util.OptionalDouble;

/**
 * A recording that is played.
 *
 * @param from         tokens that are shown at once
 * @param untilStopped whether viewers may stay at the end
 */
record PlayedRecording(Replay replay, int from, boolean untilStopped) implements LiveRun.Producer {
    @Override
    public void run() throws InterruptedException {
        try (replay) {
            replay.run(from, untilStopped);
        }
    }

    @Override
    public OptionalDouble played() {
        return OptionalDouble.of(replay.played());
    }

    /** A frame is read and shown at once: there is nothing to abandon. */
    @Override
    public void abandon() {}
}
