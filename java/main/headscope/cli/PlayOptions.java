package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.live.LiveRun;
import headscope.live.Replay;
import headscope.live.SourceStatus;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.FrameSource;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How a recording is played. */
final class PlayOptions {
    @Option(names = "--speed", paramLabel = "X",
            description = "Play a recording X times as fast as it was recorded (default: ${DEFAULT-VALUE}).")
    double speed = 1;

    @Option(names = "--from", paramLabel = "TOKENS",
            description = "Begin where the text has this many tokens (default: ${DEFAULT-VALUE}).")
    int from;

    /**
     * @param from         tokens that are shown at once
     * @param untilStopped whether viewers may stay at the end
     */
    private record PlayedRecording(Replay replay, int from, boolean untilStopped) implements LiveRun.Producer {
        @Override
        public void run() throws InterruptedException {
            try (replay) {
                replay.run(from, untilStopped);
            }
        }

        @Override
        public SourceStatus status() {
            return SourceStatus.played(replay.played());
        }

        /** A frame is read and shown at once: there is nothing to abandon. */
        @Override
        public void abandon() {}
    }

    /** @param why these options must be left out otherwise */
    void requireRecording(String why) {
        require(speed == 1, "--speed " + why);
        require(from == 0, "--from " + why);
    }

    /**
     * Plays a recording in views.
     *
     * @param check of other options, once the file is known to be a recording
     */
    void play(Path file, Views views, Runnable check) throws InterruptedException {
        require(speed > 0, "--speed must be above 0, not " + speed);
        require(from >= 0, "--from must be at least 0, not " + from);
        FrameSource source;
        try (FrameFileReader reader = FrameFileReader.open(file)) {
            source = reader.source();
            check.run();
            require(reader.next().isPresent(), file + ": contains no frame yet");
        }
        try (Views.Open view = views.open()) {
            view.show(source, "", (frames, commands, stays) -> new PlayedRecording(
                    new Replay(file, stays ? speed : Double.POSITIVE_INFINITY, frames, commands), from, stays));
        }
    }
}
