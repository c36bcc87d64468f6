package headscope.live.ring;

import headscope.live.LiveText;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.FrameSource.MeasuredMetric;
import headscope.result.frame.RecordedFrame;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Compares tokens, maps and metrics of the last texts of two recordings, for clients/python/check_transformers.py.
 * Arguments: two recordings. Exit status 0 if all are equal, otherwise 1.
 */
final class CompareRecordings {
    private CompareRecordings() {}

    public static void main(String[] args) {
        LiveText one = last(Path.of(args[0]));
        LiveText other = last(Path.of(args[1]));
        boolean equal = one.tokens().equals(other.tokens()) && Arrays.equals(one.atlas(), other.atlas())
                && Arrays.equals(one.map(), other.map());
        for (MeasuredMetric metric : one.source().metrics()) {
            equal &= Arrays.equals(one.metric(metric.key()).orElseThrow(), other.metric(metric.key()).orElseThrow());
        }
        System.out.printf("%d and %d tokens, %s%n", one.tokens().size(), other.tokens().size(), equal ? "equal" : "DIFFERENT");
        System.exit(equal ? 0 : 1);
    }

    /** The last text of a recording. */
    static LiveText last(Path recording) {
        try (FrameFileReader reader = FrameFileReader.open(recording)) {
            LiveText text = new LiveText(reader.source());
            for (Optional<RecordedFrame> frame = reader.next(); frame.isPresent(); frame = reader.next()) {
                text.add(frame.get().frame());
            }
            return text;
        }
    }
}
