package headscope.render.layout;

import headscope.figure.Axis;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.render.Box;
import java.util.ArrayList;
import java.util.List;

/** Positions of numbers in a panel, in pixels. */
final class Places {
    /** Thickness of a bar relative to its cell. */
    private static final double BAR = 0.6;

    private Places() {}

    static double x(Panel panel, Box box, double number) {
        return box.x() + numbers(panel.x()).fraction(number) * box.width();
    }

    static double y(Panel panel, Box box, double number) {
        return box.bottom() - numbers(panel.y()).fraction(number) * box.height();
    }

    /** One box per bar. */
    static List<Box> bars(Mark.Bars bars, Panel panel, Box box) {
        double[] ends = bars.ends();
        List<Box> boxes = new ArrayList<>();
        for (int i = 0; i < ends.length; i++) {
            double cell = (double) box.height() / ends.length;
            int top = (int) Math.round(box.y() + (i + 0.5 - BAR / 2) * cell);
            int bottom = (int) Math.round(box.y() + (i + 0.5 + BAR / 2) * cell);
            int right = (int) Math.round(x(panel, box, ends[i]));
            boxes.add(new Box(box.x(), top, right - box.x(), Math.max(1, bottom - top)));
        }
        return boxes;
    }

    private static Axis.Continuous numbers(Axis axis) {
        if (axis instanceof Axis.Continuous numbers) {
            return numbers;
        }
        throw new IllegalArgumentException("the axis " + axis.label() + " has no numbers");
    }
}
