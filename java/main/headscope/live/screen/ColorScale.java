package headscope.live.screen;

import headscope.figure.Axis;
import headscope.figure.Range;
import headscope.figure.Tick;
import headscope.live.ViewState;
import headscope.render.Box;
import headscope.render.screen.Scene;
import java.util.List;
import java.util.stream.IntStream;

/** The colour scales of the screen, and their bars. */
final class ColorScale {
    /** Lower end of the logarithmic scale of probabilities. */
    private static final int DECADES = 4;

    private ColorScale() {}

    /** The same for all heads and tokens, so that colours can be compared. */
    static Scene.Scale probability(ViewState state) {
        return new Scene.Scale(
                state.colormap(), new Range(state.log() ? Math.pow(10, -DECADES) : 0, 1), state.log());
    }

    /** Around all values; from 0 to 1 if there are none. */
    static Scene.Scale metric(ViewState state, float[] values) {
        double[] known = IntStream.range(0, values.length).mapToDouble(i -> values[i]).filter(Double::isFinite).toArray();
        double low = java.util.Arrays.stream(known).min().orElse(0);
        double high = java.util.Arrays.stream(known).max().orElse(1);
        return new Scene.Scale(state.colormap(), Plot.range(low, high), false);
    }

    /** The bar and its numbers on the right. */
    static void draw(Canvas canvas, Box bar, Scene.Scale scale) {
        int[] colors = scale.colormap().colors();
        for (int i = 0; i < colors.length; i++) {
            int top = bar.bottom() - (int) Math.round((i + 1.0) * bar.height() / colors.length);
            int bottom = bar.bottom() - (int) Math.round((double) i * bar.height() / colors.length);
            canvas.fill(new Box(bar.x(), top, bar.width(), bottom - top), colors[i]);
        }
        canvas.frame(bar, canvas.line(1), canvas.theme.rule());
        int limit = Math.max(2, bar.height() / canvas.px(44));
        if (scale.log()) {
            List<Tick> decades = IntStream.rangeClosed(0, DECADES)
                    .filter(power -> limit > DECADES || power % DECADES == 0)
                    .mapToObj(power -> new Tick(Math.pow(10, -power), power == 0 ? "1" : "1e-" + power))
                    .toList();
            canvas.ticksRight(bar, decades, tick -> 1 + Math.log10(tick.value()) / DECADES);
        } else {
            canvas.ticksRight(bar, new Axis.Numbers("", scale.range()).ticks(limit),
                    tick -> scale.range().fraction(tick.value()));
        }
    }
}
