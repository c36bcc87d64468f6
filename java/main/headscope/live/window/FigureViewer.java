package headscope.live.window;

import headscope.figure.Figure;
import headscope.render.Drawing;
import headscope.render.Renderer;
import headscope.render.window.Input;
import headscope.render.window.Window;
import java.time.Duration;
import java.util.List;

/** Shows the figures of a finished run in a window, one at a time, as large as the window allows. */
public final class FigureViewer {
    private static final Duration WAIT = Duration.ofMillis(100);
    static final int SCREEN_DPI = 96;

    /** By so many pixels at most a figure is larger than its size at another resolution says. */
    private static final int ROUNDING = 8;

    private static final int MIN_DPI = 24;
    private static final int MAX_DPI = 600;

    private final Window window;
    private final List<Figure> figures;
    private int shown;
    private boolean quit;

    private FigureViewer(Window window, List<Figure> figures) {
        this.window = window;
        this.figures = figures;
    }

    /**
     * Returns when the user closes the window, or types q. The left and right arrow keys show the other figures.
     *
     * @param figures at least one
     * @throws headscope.render.RenderUnavailableException if there is no display, or no OpenGL 3.3 on it
     */
    public static void show(String title, List<Figure> figures, int width, int height) {
        try (Window window = Window.open(title, width, height, true); Renderer renderer = new Renderer()) {
            new FigureViewer(window, figures).view(renderer);
        }
    }

    private void view(Renderer renderer) {
        while (!quit && !window.closed()) {
            boolean changed = window.takeExposed();
            for (Input input : window.await(WAIT)) {
                int before = shown;
                on(input);
                changed |= shown != before;
            }
            if (changed && window.width() > 0 && window.height() > 0) {
                draw(renderer);
            }
        }
    }

    private void on(Input input) {
        switch (input) {
            case Input.Typed(int character) -> quit |= Character.toLowerCase(character) == 'q';
            case Input.Pressed(Input.Key key, _) -> shown = Math.floorMod(shown + switch (key) {
                case LEFT, UP -> -1;
                case RIGHT, DOWN -> 1;
                default -> 0;
            }, figures.size());
            default -> { }
        }
    }

    /** @param usual at {@link #SCREEN_DPI} */
    static int dpi(Drawing usual, int width, int height) {
        double fit = Math.min((double) (width - ROUNDING) / usual.width(), (double) (height - ROUNDING) / usual.height());
        return (int) Math.clamp(SCREEN_DPI * fit, MIN_DPI, MAX_DPI);
    }

    private void draw(Renderer renderer) {
        Figure figure = figures.get(shown);
        int dpi;
        try (Drawing usual = renderer.drawing(figure, SCREEN_DPI)) {
            dpi = dpi(usual, window.width(), window.height());
        }
        try (Drawing drawing = renderer.drawing(figure, dpi)) {
            drawing.draw((window.width() - drawing.width()) / 2, (window.height() - drawing.height()) / 2);
        }
        window.show();
    }
}
