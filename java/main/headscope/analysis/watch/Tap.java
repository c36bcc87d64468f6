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
}
