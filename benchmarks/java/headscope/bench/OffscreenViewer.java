package headscope.bench;

import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.screen.OffscreenLive;
import headscope.live.screen.ScreenStatus;
import headscope.result.frame.Frame;
import java.time.Duration;
import java.util.Optional;

/** Draws a stream as a window does, at most 60 times a second, on a machine without a display. */
final class OffscreenViewer {
    private static final long NANOS_BETWEEN_FRAMES = 1_000_000_000 / 60;
    private static final Duration PATIENCE = Duration.ofMillis(100);

    private OffscreenViewer() {}

    /**
     * Returns the number of images when the run is stopping. Belongs to one thread.
     *
     * @param opened called when OpenGL is ready
     */
    static int view(LiveRun run, Latest frames, Runnable opened) throws InterruptedException {
        LiveText text = new LiveText(run.stream().source());
        ViewState state = ViewState.of(text.source().metrics().getFirst().key());
        int images = 0;
        try (OffscreenLive screen = OffscreenLive.open(text)) {
            opened.run();
            while (!run.stopping()) {
                Optional<Frame> frame = frames.take(PATIENCE);
                if (frame.isPresent()) {
                    long begun = System.nanoTime();
                    text.add(frame.get());
                    screen.image(state, ScreenStatus.NONE, 1280, 800, 1);
                    images++;
                    long left = begun + NANOS_BETWEEN_FRAMES - System.nanoTime();
                    Thread.sleep(Duration.ofNanos(Math.max(0, left)));
                }
            }
        }
        return images;
    }
}
