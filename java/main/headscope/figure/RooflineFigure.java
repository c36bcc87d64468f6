package headscope.figure;

import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * The kernels of passes through a model: above, each kernel's rate against its operations per byte, below the ceilings of
 * the device (the roofline model of Williams, Waterman and Patterson 2009); below, their shares of the time. A kernel's point
 * has the number of its bar.
 */
public final class RooflineFigure {
    private static final int KERNEL_INK = 0x0072B2;
    private static final int MEMORY_INK = 0xD55E00;
    private static final int PRODUCT_INK = 0x009E73;

    /** Kernels with a smaller share of the time are drawn as one bar and have no point. */
    private static final double MIN_SHARE = 0.01;

    private static final int MAX_KERNELS = 12;

    private RooflineFigure() {}

    /**
     * A kernel's part of a pass.
     *
     * @param operationsPerByte 0 if unknown; the kernel then has no point
     * @param teraflops         reached, in 10^12 operations per second
     * @param share             of the time, 0 to 1
     */
    public record Kernel(String name, double operationsPerByte, double teraflops, double share) {
        boolean hasRate() {
            return operationsPerByte > 0 && teraflops > 0;
        }
    }

    /** @param kernels in order of descending share */
    public record Pass(String title, List<Kernel> kernels) {
        List<Kernel> shown() {
            return kernels.stream().filter(kernel -> kernel.share() >= MIN_SHARE).limit(MAX_KERNELS).toList();
        }

        /** From 1, for its point and its bar. */
        int number(Kernel kernel) {
            return kernels.indexOf(kernel) + 1;
        }
    }

    /**
     * One column of panels per pass.
     *
     * @param teraflops          of a matrix product
     * @param gigabytesPerSecond of a copy
     */
    public static Figure of(List<Pass> passes, double teraflops, double gigabytesPerSecond, String caption) {
        double perByte = gigabytesPerSecond / 1e3; // TFLOP/s per operation per byte
        double ridge = teraflops / perByte;
        List<Kernel> points = passes.stream().flatMap(pass -> pass.shown().stream()).filter(Kernel::hasRate).toList();
        Axis.Logarithmic x = axis("operations per byte", DoubleStream.concat(
                DoubleStream.of(ridge), points.stream().mapToDouble(Kernel::operationsPerByte)));
        Axis.Logarithmic y = axis("TFLOP/s", DoubleStream.concat(
                DoubleStream.of(teraflops), points.stream().mapToDouble(Kernel::teraflops)));
        double start = Math.max(x.range().min(), y.range().min() / perByte);
        List<Mark> ceilings = List.of(
                new Mark.Line(String.format(Locale.ROOT, "copy: %,.4g GB/s", gigabytesPerSecond),
                        new double[] {start, ridge}, new double[] {start * perByte, teraflops}, MEMORY_INK, false),
                new Mark.Line(String.format(Locale.ROOT, "matrix product: %,.4g TFLOP/s", teraflops),
                        new double[] {ridge, x.range().max()}, new double[] {teraflops, teraflops}, PRODUCT_INK, false));
        List<Panel> panels = new ArrayList<>();
        passes.forEach(pass -> panels.add(roofline(pass, x, y, ceilings)));
        passes.forEach(pass -> panels.add(shares(pass)));
        return new Figure(panels, passes.size(), caption);
    }

    private static Panel roofline(Pass pass, Axis x, Axis y, List<Mark> ceilings) {
        List<Kernel> points = pass.shown().stream().filter(Kernel::hasRate).toList();
        List<Mark> marks = new ArrayList<>(ceilings);
        marks.add(new Mark.Points(points.stream().map(kernel -> Integer.toString(pass.number(kernel))).toList(),
                points.stream().mapToDouble(Kernel::operationsPerByte).toArray(),
                points.stream().mapToDouble(Kernel::teraflops).toArray(), KERNEL_INK));
        return new Panel(pass.title(), x, y, Optional.empty(), marks);
    }

    private static Panel shares(Pass pass) {
        List<Kernel> shown = pass.shown();
        List<String> names = new ArrayList<>(
                shown.stream().map(kernel -> "%s (%d)".formatted(kernel.name(), pass.number(kernel))).toList());
        List<Double> percent = new ArrayList<>(shown.stream().map(kernel -> 100 * kernel.share()).toList());
        int others = pass.kernels().size() - shown.size();
        if (others > 0) {
            names.add(others == 1 ? "1 other" : others + " others");
            percent.add(100 * pass.kernels().stream().skip(shown.size()).mapToDouble(Kernel::share).sum());
        }
        double[] ends = percent.stream().mapToDouble(Double::doubleValue).toArray();
        double largest = percent.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        return new Panel("", new Axis.Numbers("share of the time, %", Range.upTo(largest)),
                new Axis.Categories("", names), Optional.empty(), List.of(new Mark.Bars(ends, KERNEL_INK)));
    }

    /** From one power of ten to another, around all numbers. */
    private static Axis.Logarithmic axis(String label, DoubleStream numbers) {
        DoubleSummaryStatistics all = numbers.summaryStatistics();
        return new Axis.Logarithmic(label, new Range(Math.pow(10, Math.floor(Math.log10(all.getMin()) - 0.1)),
                Math.pow(10, Math.ceil(Math.log10(all.getMax()) + 0.1))));
    }
}
