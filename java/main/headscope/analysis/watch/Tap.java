package headscope.analysis.watch;

import headscope.result.tapped.Tapped;
import java.util.Optional;

/** Where what a model in another process computes arrives. */
public interface Tap {
    /** The next message, if there is one; does not wait. */
    Optional<Tapped> poll();

    /** Number of layers of the model. */
    int layers();

    /** How often another process has taken the place of the one before. */
    int restarts();

    /** Whether the process still feeds. */
    boolean hasProducer();

    /** What has not arrived so far. */
    Missing missing();

    /**
     * What has not arrived through a tap.
     *
     * @param skipped passes that the process has not handed over, because its buffers were full
     * @param lost    messages that were overwritten before they were read, or that are not valid
     */
    record Missing(long skipped, long lost) {
        public static final Missing NOTHING = new Missing(0, 0);
    }
}
