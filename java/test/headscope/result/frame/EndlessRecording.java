package headscope.result.frame;

import headscope.Seed;
import java.nio.file.Path;
import java.util.List;

/** A process that records frames until it is killed or the disk is full; at most 100 MB. */
final class EndlessRecording {
    private EndlessRecording() {}

    public static void main(String[] arguments) {
        List<Frame> stream = new RandomFrames(Seed.random()).stream();
        try (FrameFileWriter writer = FrameFileWriter.create(Path.of(arguments[0]), RandomFrames.SOURCE)) {
            for (int i = 0; i < 100_000; i++) {
                writer.write(new RecordedFrame(i, stream.get(i % stream.size())));
            }
        }
    }
}
