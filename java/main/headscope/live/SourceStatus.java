package headscope.live;

import java.util.OptionalDouble;

/**
 * What viewers show about a producer besides its frames.
 *
 * @param played  share of a recording that has been played; empty for a model
 * @param skipped passes of a model in another process that it has not handed over, because its buffers were full
 * @param lost    messages of that process that were overwritten before they were read, or that are not valid
 */
public record SourceStatus(OptionalDouble played, long skipped, long lost) {
    /** Of a model in this process. */
    public static final SourceStatus NONE = new SourceStatus(OptionalDouble.empty(), 0, 0);

    /** Of a recording. */
    public static SourceStatus played(double share) {
        return new SourceStatus(OptionalDouble.of(share), 0, 0);
    }
}
