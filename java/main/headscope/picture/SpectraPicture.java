package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.result.HeadMap;
import headscope.result.SpectraResult;
import headscope.result.TestedHeads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The figure of a spectra run: p-values of every tested metric. */
final class SpectraPicture {
    private SpectraPicture() {}

    static Figure of(SpectraResult run) {
        List<HeadMap> maps = new ArrayList<>();
        run.tested().forEach((metric, tested) ->
                maps.add(HeadMap.of(title(metric), "p-value", run.layers(), run.heads(), tested.p())));
        Optional<SpectraFigure.Significant> marks = run.markSignificant()
                ? Optional.of(new SpectraFigure.Significant(
                        run.tested().values().stream().map(tested -> discovered(run, tested)).toList(), "q < 0.05"))
                : Optional.empty();
        return SpectraFigure.of(maps, marks, run.manifest().caption());
    }

    /** The published title, or the name of the metric. */
    private static String title(String metric) {
        return switch (metric) {
            case "attention_score" -> "AttnScore";
            case "laplacian" -> "Laplacian Eigenvalues";
            default -> Character.toUpperCase(metric.charAt(0)) + metric.substring(1).replace('_', ' ');
        };
    }

    private static Mark.CellMarkers discovered(SpectraResult run, TestedHeads tested) {
        return new Mark.CellMarkers(IntStream.range(0, run.layers() * run.heads())
                .filter(tested::isDiscovered)
                .mapToObj(i -> new Mark.Cell(i / run.heads(), i % run.heads()))
                .toList());
    }
}
