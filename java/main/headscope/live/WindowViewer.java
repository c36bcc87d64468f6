package headscope.live;

import headscope.figure.Axis;
import headscope.figure.ColorBar;
import headscope.figure.Colormap;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Range;
import headscope.render.Drawing;
import headscope.render.Renderer;
import headscope.render.window.Input;
import headscope.render.window.Window;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Shows a stream in a window until the user closes it. Belongs to the main thread. */
public final class WindowViewer implements AutoCloseable {
    private static final Duration BETWEEN_FRAMES = Duration.ofNanos(1_000_000_000 / 60);

    private final Window window;
    private final Renderer renderer = new Renderer();

    private WindowViewer(Window window) {
        this.window = window;
    }

    public static WindowViewer open(String title, int width, int height, boolean vsync) {
        return new WindowViewer(Window.open(title, width, height, vsync));
    }

    public void view(LiveRun run, Latest frames) {
        LiveText text = new LiveText(run.stream().source());
        boolean quit = false;
        while (!quit && !window.closed() && !run.stopping()) {
            List<Input> inputs = window.await(BETWEEN_FRAMES);
            quit = inputs.stream().anyMatch(input -> input instanceof Input.Typed(int c) && Character.toLowerCase(c) == 'q');
            Optional<Frame> frame = frames.take();
            frame.ifPresent(text::add);
            if (frame.isPresent() || window.takeExposed()) {
                draw(text);
                window.show();
            }
        }
        run.stream().unsubscribe(frames);
    }

    private void draw(LiveText text) {
        FrameSource source = text.source();
        float[] values = text.metric(source.metrics().getFirst().key())
                .orElseGet(() -> new float[source.layers() * source.heads()]);
        double max = 1e-6;
        double min = 0;
        for (float value : values) {
            max = Float.isNaN(value) ? max : Math.max(max, value);
            min = Float.isNaN(value) ? min : Math.min(min, value);
        }
        Figure figure = new Figure(List.of(new Panel(
                source.metrics().getFirst().key(), new Axis.Numbered("Head", source.heads(), 0),
                new Axis.Numbered("Layer", source.layers(), 0),
                Optional.of(new ColorBar("", new Range(min, max), Colormap.rocket())),
                List.of(new Mark.Heatmap(source.layers(), source.heads(), values)))), 1, "");
        try (Drawing drawing = renderer.drawing(figure, 96)) {
            drawing.draw();
        }
    }

    @Override
    public void close() {
        renderer.close();
        window.close();
    }
}
