package headscope.live.serve;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/** The messages to one viewer. Used by the viewer's thread only, except {@link #hear}. */
interface Feed extends AutoCloseable {
    /** The shortest time from one message to the next. */
    Duration interval();

    /**
     * Everything new as one message; empty if there is nothing.
     *
     * @param number   by which the viewer confirms the message
     * @param patience how long to wait for something new
     */
    Optional<ByteBuffer> next(int number, Duration patience) throws InterruptedException;

    /**
     * Takes a message of the viewer.
     *
     * @throws IllegalArgumentException if this viewer has no use for it
     */
    void hear(ViewerMessage message);

    /** Whether frames are recorded on the server. Called by any thread. */
    void recording(boolean now);

    @Override
    void close();
}
