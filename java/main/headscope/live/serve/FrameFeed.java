package headscope.live.serve;

import headscope.live.Latest;
import headscope.live.SourceStatus;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/** The values of frames, for a browser that draws them. */
record FrameFeed(FrameSource source, Latest slot, Supplier<SourceStatus> status) implements Feed {
    /** A screen shows 60 a second. */
    private static final Duration INTERVAL = Duration.ofMillis(16);

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public Optional<ByteBuffer> next(int number, Duration patience) throws InterruptedException {
        return slot.take(patience).map(frame -> FrameMessage.encode(source, number, frame, status.get()));
    }

    @Override
    public void hear(ViewerMessage message) {
        throw new IllegalArgumentException("for viewers that are shown images");
    }

    @Override
    public void recording(boolean now) {}

    @Override
    public void close() {}
}
