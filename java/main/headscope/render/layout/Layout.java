package headscope.render.layout;

import headscope.figure.Figure;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.Stroke;
import headscope.render.TextMeasure;
import java.util.List;

/**
 * The positions of all parts of a figure, in pixels. Boxes have whole pixels.
 *
 * @param scale     pixels per unit
 * @param panels    the cells of each panel, without its frame
 * @param bars      the colours of each colour bar, without its frame
 * @param gridLines filled boxes behind the marks of the panels
 * @param rules     frames, tick marks and brackets, as filled boxes
 * @param strokes   the pointer from a cell to its enlargement, the lines of the key, and those from points to labels
 * @param legible   whether no panel is tiny, no name of an axis or a colour bar is shortened, no title is broken inside a word
 *                  that is whole at the natural size, and every point is labelled
 */
public record Layout(Figure figure, double scale, int width, int height, List<Box> panels, List<Box> bars,
        List<Label> labels, List<Box> gridLines, List<Box> rules, List<Stroke> strokes, boolean legible) {
    /** Units of a layout per inch, at the default font size. */
    public static final int UNITS_PER_INCH = 96;

    /** @throws IllegalArgumentException if the size is too small for the figure's labels; the message says what fits */
    public static Layout of(Figure figure, FigureSize size, TextMeasure measure) {
        return new Fitting(figure, size, new MeasuredOnce(measure)).layout();
    }

    /** The natural size. */
    static Layout of(Figure figure, double scale, TextMeasure measure) {
        return Composer.compose(figure, scale, measure, Stretch.NONE);
    }

    /** The parts in drawing order. */
    public List<Shape> shapes() {
        return Shapes.of(figure, this, scale);
    }
}
