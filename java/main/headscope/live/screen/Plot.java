package headscope.live.screen;

import headscope.figure.Axis;
import headscope.figure.Range;
import headscope.figure.Tick;
import headscope.render.Box;
import java.util.List;

/** The axes of a small plot, and places in it. */
record Plot(Box box, Range x, Range y) {
    /** Narrower ranges are drawn as one value. */
    private static final double NARROW = 1e-6;

    private static final double WIDTH = 2; // of lines, in units

    /** A range around finite values that ends at round numbers. */
    static Range range(double low, double high) {
        return high - low > NARROW * Math.max(1, Math.abs(high)) ? Range.around(low, high) : Range.around(low, low);
    }

    /** The area for a plot with numbers on the left and below, inside a panel with a title. */
    static Box area(Canvas canvas, Box panel) {
        int left = canvas.px(60);
        int top = canvas.px(36);
        return new Box(panel.x() + left, panel.y() + top, Math.max(1, panel.width() - left - canvas.px(16)),
                Math.max(1, panel.height() - top - canvas.px(28)));
    }

    double px(double value) {
        return box.x() + x.fraction(value) * box.width();
    }

    double py(double value) {
        return box.bottom() - y.fraction(value) * box.height();
    }

    /**
     * A line through points with increasing x, broken where y is NaN. Of the points in one column of pixels, the first, the
     * lowest, the highest and the last are joined, so that no extreme is lost.
     */
    void line(Canvas canvas, double[] xs, double[] ys, int rgb) {
        int start = 0;
        for (int i = 0; i < xs.length; i = start) {
            int low = i;
            int high = i;
            for (start = i; start < xs.length && (int) px(xs[start]) == (int) px(xs[i]); start++) {
                low = ys[start] < ys[low] ? start : low;
                high = ys[start] > ys[high] ? start : high;
            }
            int[] order = {i, Math.min(low, high), Math.max(low, high), start - 1, Math.min(start, xs.length - 1)};
            for (int k = 1; k < order.length; k++) {
                int from = order[k - 1];
                int to = order[k];
                if (from != to && Double.isFinite(ys[from]) && Double.isFinite(ys[to])) {
                    canvas.stroke(px(xs[from]), py(ys[from]), px(xs[to]), py(ys[to]), WIDTH, rgb);
                }
            }
        }
    }

    /** Numbers of the vertical axis; a few more than the limit rather than only one, which tells no scale. */
    private List<Tick> ticks(int limit) {
        Axis.Numbers axis = new Axis.Numbers("", y);
        List<Tick> ticks = axis.ticks(Math.max(2, limit));
        return ticks.size() > 1 ? ticks : axis.ticks(Math.max(2, limit) + 2);
    }

    /** Frame and numbers; those below are whole. */
    void axes(Canvas canvas) {
        Theme theme = canvas.theme;
        int line = canvas.line(1);
        canvas.frame(box, line, theme.rule());
        for (Tick tick : ticks(box.height() / canvas.px(26))) {
            int at = (int) Math.round(py(tick.value()) - line / 2.0);
            canvas.cover(new Box(box.x() - line - canvas.px(4), at, canvas.px(4), line), theme.rule());
            canvas.right(tick.label(), Canvas.SMALL_SIZE, theme.pale(), box.x() - canvas.px(9),
                    canvas.baseline(py(tick.value()), Canvas.SMALL_SIZE));
        }
        for (Tick tick : new Axis.Numbers("", x).ticks(Math.max(1, box.width() / canvas.px(56)))) {
            if (tick.value() == Math.rint(tick.value())) {
                int at = (int) Math.round(px(tick.value()) - line / 2.0);
                canvas.cover(new Box(at, box.bottom() + line, line, canvas.px(4)), theme.rule());
                canvas.center(Long.toString((long) tick.value()), Canvas.SMALL_SIZE, theme.pale(), px(tick.value()),
                        box.bottom() + canvas.px(18));
            }
        }
        if (y.min() < 0 && y.max() > 0) {
            canvas.fill(new Box(box.x(), (int) Math.round(py(0)), box.width(), line), theme.rule());
        }
    }
}
