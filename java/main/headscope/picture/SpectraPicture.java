package headscope.picture;

import headscope.figure.CurvesFigure;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.result.HeadMap;
import headscope.result.LayerAuroc;
import headscope.result.SpectraResult;
import headscope.result.SpectraView;
import headscope.result.TestedHeads;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The figures of a spectra run: one quantity of the tests, a map per metric; AUROC of each layer's probes. */
final class SpectraPicture {
    private SpectraPicture() {}

    /** @param view draws tested metrics only */
    static Figure of(SpectraResult run, SpectraView view) {
        List<TestedHeads> tested = view.drawn().stream().map(run.tested()::get).toList();
        List<HeadMap> maps = IntStream.range(0, tested.size())
                .mapToObj(i -> HeadMap.of(title(view.drawn().get(i)), label(view.shown()), run.layers(), run.heads(),
                        values(tested.get(i), view.shown())))
                .toList();
        Optional<SpectraFigure.Significant> marks = view.marked()
                ? Optional.of(new SpectraFigure.Significant(
                        tested.stream().map(one -> below(run, one.q(), view.threshold())).toList(),
                        "q < " + BigDecimal.valueOf(view.threshold()).stripTrailingZeros().toPlainString()))
                : Optional.empty();
        return SpectraFigure.of(maps, view.shown(), marks, (run.manifest().caption() + " " + note(view.shown())).strip());
    }

    /** How well the heads of each layer alone separate the classes, a curve per feature of the probes. */
    static Figure layers(LayerAuroc probes, String caption) {
        double[] layers = IntStream.range(0, probes.layers()).asDoubleStream().toArray();
        return CurvesFigure.of(
                probes.features().stream()
                        .map(feature -> new CurvesFigure.Curve(feature, layers, probes.mean(feature)))
                        .toList(),
                "Layer Index", "AUROC", caption);
    }

    private static double[] values(TestedHeads tested, SpectraView.Shown shown) {
        return switch (shown) {
            case P -> tested.p();
            case LOG10P -> Arrays.stream(tested.p()).map(p -> Math.log10(Math.max(p, Double.MIN_VALUE))).toArray();
            case Q -> tested.q();
            case EFFECT -> tested.effect();
            case AUROC -> tested.auroc();
        };
    }

    private static String label(SpectraView.Shown shown) {
        return switch (shown) {
            case P -> "p-value";
            case LOG10P -> "log10 of the p-value";
            case Q -> "q-value";
            case EFFECT -> "effect (rank-biserial)";
            case AUROC -> "AUROC";
        };
    }

    /** What the caption adds to that of the run. */
    private static String note(SpectraView.Shown shown) {
        return switch (shown) {
            case P -> "";
            case LOG10P -> "Colour: decimal logarithm of p.";
            case Q -> "Colour: q, p corrected for the number of heads (Benjamini-Hochberg).";
            case EFFECT -> "Colour: rank-biserial correlation, positive where label 1 has the larger values.";
            case AUROC -> "Colour: AUROC of each head alone, above 0.5 where label 1 has the larger values.";
        };
    }

    /** The published title, or the name of the metric. */
    static String title(String metric) {
        return switch (metric) {
            case "attention_score" -> "AttnScore";
            case "laplacian" -> "Laplacian Eigenvalues";
            default -> Character.toUpperCase(metric.charAt(0)) + metric.substring(1).replace('_', ' ');
        };
    }

    private static Mark.CellMarkers below(SpectraResult run, double[] q, double threshold) {
        return new Mark.CellMarkers(IntStream.range(0, q.length)
                .filter(i -> q[i] < threshold)
                .mapToObj(i -> new Mark.Cell(i / run.heads(), i % run.heads()))
                .toList());
    }
}
