package headscope.render.layout;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.render.Box;
import headscope.render.Stroke;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The strokes of a {@link Mark.Line} and of {@link Mark.Points}. Widths are in units; {@code scale} is in pixels per unit. */
final class LineStrokes {
    private static final double WIDTH = 2;
    private static final double DOT = 7;

    private LineStrokes() {}

    /** The line in its panel. */
    static List<Stroke> of(Mark.Line line, Panel panel, Box box, double scale) {
        double[] x = line.x();
        double[] y = line.y();
        for (int i = 0; i < x.length; i++) {
            x[i] = Places.x(panel, box, x[i]);
            y[i] = Places.y(panel, box, y[i]);
        }
        List<Stroke> strokes = new ArrayList<>();
        for (int i = 1; i < x.length; i++) {
            strokes.add(new Stroke(x[i - 1], y[i - 1], x[i], y[i], WIDTH * scale, line.rgb()));
        }
        for (int i = 0; i < x.length && line.dotted(); i++) {
            strokes.add(dot(line.rgb(), x[i], y[i], scale));
        }
        return strokes;
    }

    /** The dots of points in their panel. */
    static List<Stroke> of(Mark.Points points, Panel panel, Box box, double scale) {
        double[] x = points.x();
        double[] y = points.y();
        return IntStream.range(0, x.length)
                .mapToObj(i -> dot(points.rgb(), Places.x(panel, box, x[i]), Places.y(panel, box, y[i]), scale))
                .toList();
    }

    /** The line's sample in the figure's key: level, with a dot in the middle if the line has dots. */
    static List<Stroke> sample(Mark.Line line, double left, double right, double y, double scale) {
        List<Stroke> strokes = new ArrayList<>();
        strokes.add(new Stroke(left, y, right, y, WIDTH * scale, line.rgb()));
        if (line.dotted()) {
            strokes.add(dot(line.rgb(), (left + right) / 2, y, scale));
        }
        return strokes;
    }

    private static Stroke dot(int rgb, double x, double y, double scale) {
        return new Stroke(x, y, x, y, DOT * scale, rgb);
    }
}
