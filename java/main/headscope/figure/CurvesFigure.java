package headscope.figure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Curves over a number, such as the number of open heads. */
public final class CurvesFigure {
    /** 0xRRGGBB; distinct for colour-blind readers (Okabe and Ito 2008), in order of decreasing contrast. */
    private static final int[] COLORS = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0x000000, 0xE69F00, 0x56B4E9};

    /** Curves with more points have no dots. */
    private static final int MAX_DOTS = 33;

    private CurvesFigure() {}

    /**
     * One curve.
     *
     * @param x strictly increasing, finite
     * @param y one value per x, finite
     */
    public record Curve(String label, double[] x, double[] y) {}

    /**
     * All curves in one panel. The horizontal axis ends where the curves end, the vertical axis at round numbers.
     *
     * @param curves one to seven
     * @param x      label of the horizontal axis
     * @param y      label of the vertical axis
     */
    public static Figure of(List<Curve> curves, String x, String y, String caption) {
        if (curves.isEmpty() || curves.size() > COLORS.length) {
            throw new IllegalArgumentException(
                    "%d curves; there are colours for 1 to %d".formatted(curves.size(), COLORS.length));
        }
        List<Mark> lines = new ArrayList<>();
        for (Curve curve : curves) {
            lines.add(new Mark.Line(curve.label(), curve.x(), curve.y(), COLORS[lines.size()],
                    curve.x().length <= MAX_DOTS));
        }
        boolean whole = curves.stream().flatMapToDouble(curve -> Arrays.stream(curve.x())).allMatch(at -> at == Math.rint(at));
        Panel panel = new Panel("", new Axis.Numbers(x, horizontal(ends(curves, Curve::x)), whole),
                new Axis.Numbers(y, vertical(ends(curves, Curve::y))), Optional.empty(), lines);
        return new Figure(List.of(panel), 1, caption);
    }

    private static Range horizontal(double[] ends) {
        return ends[0] < ends[1] ? new Range(ends[0], ends[1]) : vertical(ends);
    }

    private static Range vertical(double[] ends) {
        return Range.around(ends[0], ends[1]);
    }

    /** The smallest and the largest coordinate. */
    private static double[] ends(List<Curve> curves, Function<Curve, double[]> coordinates) {
        DoubleSummaryStatistics all = curves.stream()
                .flatMapToDouble(curve -> Arrays.stream(coordinates.apply(curve)))
                .summaryStatistics();
        return new double[] {all.getMin(), all.getMax()};
    }
}
