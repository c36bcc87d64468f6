package headscope.render;

import headscope.figure.Axis;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Range;
import java.util.ArrayList;
import java.util.List;

/** Draws {@link Mark.Line} and other strokes, anti-aliased over one pixel. */
final class LinePass implements AutoCloseable {
    private static final double WIDTH = 2;
    private static final double DOT = 7;

    private final Program program = new Program("line");

    /** @param scale pixels per unit of the layout */
    DrawCall call(Box canvas, Box box, Panel panel, Mark.Line line, double scale) {
        double[] x = line.x();
        double[] y = line.y();
        for (int i = 0; i < x.length; i++) {
            x[i] = box.x() + range(panel.x()).fraction(x[i]) * box.width();
            y[i] = box.bottom() - range(panel.y()).fraction(y[i]) * box.height();
        }
        return call(canvas, strokes(line, x, y, scale));
    }

    DrawCall call(Box canvas, List<Stroke> strokes) {
        float[] attributes = new float[8 * strokes.size()];
        int i = 0;
        for (Stroke stroke : strokes) {
            attributes[i++] = (float) stroke.x0();
            attributes[i++] = (float) stroke.y0();
            attributes[i++] = (float) stroke.x1();
            attributes[i++] = (float) stroke.y1();
            attributes[i++] = (float) stroke.width();
            attributes[i++] = (stroke.rgb() >> 16 & 255) / 255f;
            attributes[i++] = (stroke.rgb() >> 8 & 255) / 255f;
            attributes[i++] = (stroke.rgb() & 255) / 255f;
        }
        return new Quads(8, attributes, () -> program.use(canvas));
    }

    /** The sample of a line in the figure's key. */
    static List<Stroke> strokes(Mark.Line line, double left, double right, double y, double scale) {
        List<Stroke> strokes = new ArrayList<>();
        strokes.add(new Stroke(left, y, right, y, WIDTH * scale, line.rgb()));
        if (line.dotted()) {
            strokes.add(dot(line, (left + right) / 2, y, scale));
        }
        return strokes;
    }

    private static List<Stroke> strokes(Mark.Line line, double[] x, double[] y, double scale) {
        List<Stroke> strokes = new ArrayList<>();
        for (int i = 1; i < x.length; i++) {
            strokes.add(new Stroke(x[i - 1], y[i - 1], x[i], y[i], WIDTH * scale, line.rgb()));
        }
        for (int i = 0; i < x.length && line.dotted(); i++) {
            strokes.add(dot(line, x[i], y[i], scale));
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

    @Override
    public void close() {
        program.close();
    }
}
