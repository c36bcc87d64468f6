package headscope.figure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Lines over a number, such as that of the heads that are open. */
public final class CurvesFigure {
    /** 0xRRGGBB; told apart also by who sees few colours (Okabe and Ito 2008), in an order of falling contrast. */
    private static final int[] COLORS = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0x000000, 0xE69F00, 0x56B4E9};

    /** A line through more points is drawn without dots. */
    private static final int MOST_DOTS = 33;

    private CurvesFigure() {}

    /**
     * One line.
     *
     * @param x ascending, finite
     * @param y one per x, finite
     */
    public record Curve(String label, double[] x, double[] y) {}

    /**
     * All lines in one panel. The horizontal axis ends where they do, the vertical one at round numbers.
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
                    curve.x().length <= MOST_DOTS));
        }
        Panel panel = new Panel("", new Axis.Numbers(x, across(ends(curves, Curve::x))),
                new Axis.Numbers(y, up(ends(curves, Curve::y))), Optional.empty(), lines);
        return new Figure(List.of(panel), 1, caption);
    }

    private static Range across(double[] ends) {
        return ends[0] < ends[1] ? new Range(ends[0], ends[1]) : up(ends);
    }

    private static Range up(double[] ends) {
        return Range.around(ends[0], ends[1]);
    }

    /** The smallest and the largest place. */
    private static double[] ends(List<Curve> curves, Function<Curve, double[]> places) {
        DoubleSummaryStatistics all = curves.stream()
                .flatMapToDouble(curve -> Arrays.stream(places.apply(curve)))
                .summaryStatistics();
        return new double[] {all.getMin(), all.getMax()};
    }
}
