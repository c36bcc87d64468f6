package headscope.live.screen;

import headscope.figure.Range;
import headscope.live.LiveText;
import headscope.live.MetricHistory;
import headscope.live.ViewState;
import headscope.render.Box;
import headscope.result.frame.ChosenHead;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Below the grid: the chosen head's eigenvalues, and its metric over the tokens. */
final class CurvesPart {
    /** More values are drawn as a line. */
    private static final int MAX_BARS = 128;

    private CurvesPart() {}

    static void draw(Canvas canvas, ScreenLayout layout, LiveText text, ViewState state) {
        eigenvalues(canvas, layout.spectrum(), text);
        metric(canvas, layout.curve(), text, state);
    }

    private static void eigenvalues(Canvas canvas, Box panel, LiveText text) {
        canvas.fill(panel, canvas.theme.panel());
        title(canvas, panel, "Laplacian eigenvalues, sorted");
        float[] values = text.chosen().map(ChosenHead::eigenvalues).orElse(new float[0]);
        double[] known = IntStream.range(0, values.length).mapToDouble(i -> values[i]).filter(Double::isFinite).toArray();
        if (known.length == 0) {
            note(canvas, panel, !text.source().causal() ? "none: attention is bidirectional"
                    : values.length == 0 ? "" : "none: attention is not finite");
            return;
        }
        double low = DoubleStream.of(known).min().orElse(0);
        double high = DoubleStream.of(known).max().orElse(0);
        int tokens = Math.max(values.length, text.chosen().orElseThrow().tokens());
        double step = values.length == 1 ? 1 : (tokens - 1.0) / (values.length - 1); // from one shown rank to the next
        Plot plot = new Plot(Plot.area(canvas, panel), new Range(-0.5 * step, tokens - 1 + 0.5 * step),
                Plot.range(Math.min(0, low), Math.max(0, high)));
        plot.axes(canvas);
        if (values.length <= MAX_BARS) {
            bars(canvas, plot, values);
        } else {
            plot.line(canvas, IntStream.range(0, values.length).mapToDouble(i -> i * step).toArray(),
                    IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray(), canvas.theme.bars());
        }
    }

    private static void bars(Canvas canvas, Plot plot, float[] values) {
        double zero = plot.py(0);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                continue;
            }
            int gap = plot.px(i + 1) - plot.px(i) > canvas.px(4) ? canvas.line(1) : 0;
            int left = (int) Math.round(plot.px(i - 0.5));
            int right = (int) Math.round(plot.px(i + 0.5));
            int top = (int) Math.round(Math.min(zero, plot.py(values[i])));
            int bottom = (int) Math.round(Math.max(zero, plot.py(values[i])));
            canvas.cover(new Box(left, top, Math.max(1, right - left - gap), Math.max(1, bottom - top)),
                    canvas.theme.bars());
        }
    }

    private static void metric(Canvas canvas, Box panel, LiveText text, ViewState state) {
        canvas.fill(panel, canvas.theme.panel());
        String unit = text.source().metrics().stream()
                .filter(metric -> metric.key().equals(state.metric()) && !metric.unit().isEmpty())
                .map(metric -> ", " + metric.unit())
                .findFirst()
                .orElse("");
        title(canvas, panel, "%s%s, over tokens".formatted(Wording.metric(state.metric()), unit));
        MetricHistory.Curve curve =
                text.history().curve(state.metric(), state.layer() * text.source().heads() + state.head());
        double[] known = DoubleStream.of(curve.values()).filter(Double::isFinite).toArray();
        if (known.length == 0) {
            return;
        }
        double[] x = curve.tokens();
        double[] y = curve.values();
        double low = DoubleStream.of(known).min().orElse(0);
        double high = DoubleStream.of(known).max().orElse(0);
        Range tokens = x.length == 1 ? new Range(x[0] - 0.5, x[0] + 0.5) : new Range(x[0], x[x.length - 1]);
        Plot plot = new Plot(Plot.area(canvas, panel), tokens, Plot.range(low, high));
        plot.axes(canvas);
        plot.line(canvas, x, y, canvas.theme.curve());
        int last = x.length - 1;
        if (Double.isFinite(y[last])) {
            canvas.stroke(plot.px(x[last]), plot.py(y[last]), plot.px(x[last]), plot.py(y[last]), 8,
                    canvas.theme.accent());
        }
    }

    private static void title(Canvas canvas, Box panel, String title) {
        canvas.text(canvas.shortened(title, Canvas.SIZE, panel.width() - canvas.px(28)), Canvas.SIZE, canvas.theme.ink(),
                panel.x() + canvas.px(14), panel.y() + canvas.px(23));
    }

    private static void note(Canvas canvas, Box panel, String note) {
        canvas.center(note, Canvas.SMALL_SIZE, canvas.theme.pale(), panel.x() + panel.width() / 2.0,
                panel.y() + panel.height() / 2.0);
    }
}
