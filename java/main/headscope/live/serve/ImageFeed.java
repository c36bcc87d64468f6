package headscope.live.serve;

import headscope.live.Latest;
import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.control.Action.Desk;
import headscope.live.control.Interaction;
import headscope.live.control.LivePicture;
import headscope.live.screen.OffscreenLive;
import headscope.live.screen.ScreenLayout;
import headscope.live.screen.ScreenStatus;
import headscope.render.Image;
import headscope.render.PngFile;
import headscope.render.RenderUnavailableException;
import headscope.render.window.Input;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The live screen as images, for a browser without WebGL2: they show the same as a window, and keyboard and mouse have
 * the same effect.
 */
final class ImageFeed implements Feed {
    private static final Duration INTERVAL = Duration.ofMillis(200);

    /** What the user does while an image is drawn. */
    private static final int MAX_WAITING = 1024;

    private static final int DPI = 96;
    private static final double NANOS_PER_MILLI = 1e6;

    private final Viewer viewer;
    private final FrameSource source;
    private final Latest slot;
    private final LiveText text;
    private final BlockingQueue<ViewerMessage> heard = new LinkedBlockingQueue<>(MAX_WAITING);
    private Optional<ViewerMessage.Size> size = Optional.empty();
    private Optional<OffscreenLive> screen = Optional.empty();
    private Optional<Interaction> interaction = Optional.empty();
    private volatile boolean recording;
    private boolean refused;
    private double drawMillis = Double.NaN;

    ImageFeed(Viewer viewer, FrameSource source, Latest slot) {
        this.viewer = viewer;
        this.source = source;
        this.slot = slot;
        this.text = new LiveText(source);
    }

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public void hear(ViewerMessage message) {
        if (!heard.offer(message)) {
            throw new IllegalArgumentException("too many messages wait");
        }
    }

    @Override
    public void recording(boolean now) {
        recording = now;
    }

    @Override
    public Optional<ByteBuffer> next(int number, Duration patience) throws InterruptedException {
        Optional<Frame> frame = slot.take(patience);
        frame.ifPresent(this::add);
        boolean changed = frame.isPresent();
        for (ViewerMessage message = heard.poll(); message != null; message = heard.poll()) {
            changed = true;
            switch (message) {
                case ViewerMessage.Size next -> resize(next);
                case ViewerMessage.UserInput(Input input) -> on(input);
                default -> throw new IllegalStateException(message.toString());
            }
        }
        return changed && screen.isPresent() ? Optional.of(ImageMessage.screen(number, draw())) : Optional.empty();
    }

    private void add(Frame frame) {
        text.add(frame);
        interaction.ifPresent(user -> frame.chosen().ifPresent(user::follow));
    }

    private void resize(ViewerMessage.Size next) {
        size = Optional.of(next);
        if (screen.isEmpty() && !refused) {
            try {
                OffscreenLive opened = OffscreenLive.open(text);
                screen = Optional.of(opened);
                Interaction user = new Interaction(
                        text, ViewState.of(source.metrics().getFirst().key()), viewer.prompt(), viewer::send, opened.measure(),
                        _ -> { });
                text.chosen().ifPresent(user::follow);
                interaction = Optional.of(user);
            } catch (RenderUnavailableException unavailable) {
                refused = true;
                viewer.unavailable(unavailable.getMessage());
            }
        }
    }

    private void on(Input input) {
        interaction.flatMap(user -> user.on(input, layout(), (view, x, y) -> screen.orElseThrow().pick(view, layout(), x, y)))
                .ifPresent(this::act);
    }

    private void act(Desk action) {
        switch (action) {
            case PICTURE -> {
                if (text.frame().filter(frame -> frame.cells() > 0).isPresent()) {
                    viewer.picture(LivePicture.of(text, interaction.orElseThrow().view()));
                }
            }
            case RECORD -> viewer.record();
            case QUIT -> viewer.askToStop();
            case EDIT_PROMPT -> { }
        }
    }

    private ScreenLayout layout() {
        ViewerMessage.Size now = size.orElseThrow();
        return ScreenLayout.of(now.width(), now.height(), now.scale(), source);
    }

    private byte[] draw() {
        long begin = System.nanoTime();
        Interaction user = interaction.orElseThrow();
        ScreenLayout layout = layout();
        user.setRecording(recording);
        Image image = screen.orElseThrow().image(
                user.view(), new ScreenStatus(drawMillis, user.pointer(layout), "", viewer.status()), layout,
                user.parts(layout));
        byte[] png = PngFile.encode(image, DPI, Map.of());
        drawMillis = (System.nanoTime() - begin) / NANOS_PER_MILLI;
        return png;
    }

    @Override
    public void close() {
        screen.ifPresent(OffscreenLive::close);
    }
}
