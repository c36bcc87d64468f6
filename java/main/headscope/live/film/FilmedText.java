package headscope.live.film;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.screen.OffscreenLive;
import headscope.live.screen.ScreenStatus;
import headscope.render.Image;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.util.function.Consumer;

/**
 * Draws the screen of every n-th token of a stream, and of the last one, without a window. Whoever gives a frame waits
 * until it is drawn. Belongs to the thread that opened it.
 */
public final class FilmedText implements Consumer<Frame>, AutoCloseable {
    private final FrameSource source;
    private final ViewState state;
    private final int width;
    private final int height;
    private final int every;
    private final Consumer<Image> images;
    private final LiveText text;
    private final OffscreenLive screen;
    private int number = -1;
    private int step = -1;
    private boolean drawn = true;

    /**
     * @param width  of the images, in pixels
     * @param height likewise
     * @param every  n
     * @throws headscope.render.RenderUnavailableException if this machine cannot draw
     */
    public FilmedText(FrameSource source, boolean dark, int width, int height, int every, Consumer<Image> images) {
        this.source = source;
        this.state = ViewState.of(source.metrics().getFirst().key()).withDark(dark);
        this.width = width;
        this.height = height;
        this.every = every;
        this.images = images;
        this.text = new LiveText(source);
        this.screen = OffscreenLive.open(text);
    }

    @Override
    public void accept(Frame frame) {
        text.add(frame);
        boolean whole = frame.layersRead() == source.layers();
        if (whole && (frame.text() != number || frame.step() != step)) {
            number = frame.text();
            step = frame.step();
            drawn = false;
            if (step % every == 0) {
                draw();
            }
        }
    }

    private void draw() {
        images.accept(screen.image(state, ScreenStatus.NONE, width, height, 1));
        drawn = true;
    }

    /** Draws the last token unless it is drawn. */
    public void finish() {
        if (!drawn) {
            draw();
        }
    }

    @Override
    public void close() {
        screen.close();
    }
}
