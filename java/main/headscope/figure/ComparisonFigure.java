package headscope.figure;

import headscope.result.ComparisonTable;
import headscope.result.HeadMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Two runs in one figure: their differences, or both side by side. */
public final class ComparisonFigure {
    private ComparisonFigure() {}

    /** One map per measure, with values on both sides of 0 and a dot on every head with q below 0.05. */
    public static Figure differences(ComparisonTable table, String first, String second, boolean oneScale, String caption) {
        List<Panel> panels = new ArrayList<>();
        double all = table.measures().stream().mapToDouble(one -> largest(one.difference())).max().orElseThrow();
        for (ComparisonTable.Measure one : table.measures()) {
            String label = oneScale || table.measures().size() == 1 ? "" : name(one) + ": ";
            double top = Range.upTo(oneScale ? all : largest(one.difference())).max();
            ColorBar bar = new ColorBar("%s%s \u2212 %s".formatted(label, second, first), new Range(-top, top), Colormap.coolwarm());
            Panel panel = panel(name(one), table, one.difference(), bar);
            List<Mark> marks = new ArrayList<>(panel.marks());
            marks.add(new Mark.CellMarkers(IntStream.range(0, one.q().length)
                    .filter(one::isDiscovered)
                    .mapToObj(i -> new Mark.Cell(i / table.heads(), i % table.heads()))
                    .toList()));
            panels.add(new Panel(panel.title(), panel.x(), panel.y(), panel.bar(), marks));
        }
        return new Figure(panels, columns(panels.size()), caption);
    }

    /** Two, or as many as fit if there are many panels. */
    private static int columns(int panels) {
        return panels <= 4 ? Math.min(2, panels) : FunctionsFigure.columns(panels);
    }

    /** A row per measure: the first run, then the second, on one scale. */
    public static Figure both(ComparisonTable table, String first, String second, boolean oneScale, String caption) {
        List<Panel> panels = new ArrayList<>();
        Range all = range(table.measures().stream().flatMapToDouble(ComparisonFigure::values).toArray());
        for (ComparisonTable.Measure one : table.measures()) {
            ColorBar bar = oneScale
                    ? new ColorBar("", all, Colormap.viridis())
                    : new ColorBar(name(one), range(values(one).toArray()), Colormap.viridis());
            String measure = table.measures().size() == 1 && !oneScale ? "" : name(one) + ": ";
            panels.add(panel(measure + first, table, one.value1(), bar));
            panels.add(panel(measure + second, table, one.value2(), bar));
        }
        return new Figure(panels, 2, caption);
    }

    private static Panel panel(String title, ComparisonTable table, double[] values, ColorBar bar) {
        HeadMap map = HeadMap.of(title, bar.label(), values.length / table.heads(), table.heads(), values);
        return HeadPanels.of(List.of(map), bar).getFirst();
    }

    private static String name(ComparisonTable.Measure one) {
        return one.name().replace('_', ' ');
    }

    private static DoubleStream values(ComparisonTable.Measure one) {
        return DoubleStream.concat(Arrays.stream(one.value1()), Arrays.stream(one.value2()));
    }

    private static double largest(double[] values) {
        return Arrays.stream(values).filter(value -> !Double.isNaN(value)).map(Math::abs).max().orElse(0);
    }

    /** From 0 if no value is negative. */
    private static Range range(double[] values) {
        double[] known = Arrays.stream(values).filter(value -> !Double.isNaN(value)).toArray();
        double low = Arrays.stream(known).min().orElse(0);
        double high = Arrays.stream(known).max().orElse(0);
        return low >= 0 ? Range.upTo(high) : Range.around(low, high);
    }
}
