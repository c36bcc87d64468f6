package headscope.render.layout;
import headscope.figure.Axis;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Range;
import headscope.render.Box;
import headscope.render.Stroke;
import java.util.ArrayList;
import java.util.List;

/** The strokes of a {@link Mark.Line}. Widths are in units; {@code scale} is in pixels per unit. */
final class LineStrokes {
    private static final double WIDTH = 2;
    private static final double DOT = 7;

    private LineStrokes() {}

    /** The line in its panel. */
    static List<Stroke> of(Mark.Line line, Panel panel, Box box, double scale) {
        double[] x = line.x();
        double[] y = line.y();
        for (int i = 0; i < x.length; i++) {
            x[i] = box.x() + range(panel.x()).fraction(x[i]) * box.width();
            y[i] = box.bottom() - range(panel.y()).fraction(y[i]) * box.height();
        }
        List<Stroke> strokes = new ArrayList<>();
        for (int i = 1; i < x.length; i++) {
            strokes.add(new Stroke(x[i - 1], y[i - 1], x[i], y[i], WIDTH * scale, line.rgb()));
        }
        for (int i = 0; i < x.length && line.dotted(); i++) {
            strokes.add(dot(line, x[i], y[i], scale));
        }
        return strokes;
    }

    /** The line's sample in the figure's key: level, with a dot in the middle if the line has dots. */
    static List<Stroke> sample(Mark.Line line, double left, double right, double y, double scale) {
        List<Stroke> strokes = new ArrayList<>();
        strokes.add(new Stroke(left, y, right, y, WIDTH * scale, line.rgb()));
        if (line.dotted()) {
            strokes.add(dot(line, (left + right) / 2, y, scale));
        }
        return strokes;
    }

    private static Stroke dot(Mark.Line line, double x, double y, double scale) {
        return new Stroke(x, y, x, y, DOT * scale, line.rgb());
    }

    private static Range range(Axis axis) {
        if (axis instanceof Axis.Numbers numbers) {
            return numbers.range();
        }
        throw new IllegalArgumentException("the axis " + axis.label() + " has no numbers");
    }
}
