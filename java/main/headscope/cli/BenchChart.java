package headscope.cli;

import headscope.figure.Figure;
import headscope.figure.RooflineFigure;
import headscope.timing.BenchFile;
import headscope.timing.Measurement;
import java.util.List;
import java.util.SequencedMap;

/** The figure of a model's profiled passes. */
final class BenchChart {
    private BenchChart() {}

    /** @param passes the kernels of each pass, the longest first, by the pass's title */
    static Figure of(BenchFile file, SequencedMap<String, List<Measurement>> passes) {
        Measurement any = passes.firstEntry().getValue().getFirst();
        return RooflineFigure.of(
                passes.entrySet().stream().map(pass -> pass(pass.getKey(), pass.getValue())).toList(),
                file.ceilings().teraflops(), file.ceilings().gigabytesPerSecond(),
                "%s, one text, all statistics, %s; %s, %s. Operations and bytes are the least that each operation needs."
                        .formatted(any.shape(), any.dtype(), file.device(), file.date().substring(0, 10)));
    }

    private static RooflineFigure.Pass pass(String title, List<Measurement> kernels) {
        double total = kernels.stream().mapToDouble(Measurement::median).sum();
        return new RooflineFigure.Pass("%s: %.4g ms".formatted(title, 1e3 * total),
                kernels.stream().map(one -> kernel(one, total)).toList());
    }

    private static RooflineFigure.Kernel kernel(Measurement one, double total) {
        String operation = one.operation().replaceFirst("^[^:]*: ", "");
        // a matrix product has one kernel in all shapes; the name of another kernel says what it does
        boolean named = one.kernel().equals("cpu") || operation.startsWith("linear");
        return new RooflineFigure.Kernel(named ? operation : one.kernel(),
                one.bytes() == 0 ? 0 : one.operations() / one.bytes(), one.teraflops(), one.median() / total);
    }
}
