package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.result.HeadMap;
import headscope.result.SpectraResult;
import headscope.result.TestedHeads;
import java.util.Optional;
import java.util.stream.IntStream;

/** The figure of a spectra run: p-values of both metrics. */
final class SpectraPicture {
    private SpectraPicture() {}

    static Figure of(SpectraResult run) {
        Optional<SpectraFigure.Significant> marks = run.markSignificant()
                ? Optional.of(new SpectraFigure.Significant(
                        discovered(run, run.attentionScore()), discovered(run, run.laplacian()), "q < 0.05"))
                : Optional.empty();
        return SpectraFigure.of(
                HeadMap.of("AttnScore", "p-value", run.layers(), run.heads(), run.attentionScore().p()),
                HeadMap.of("Laplacian Eigenvalues", "p-value", run.layers(), run.heads(), run.laplacian().p()),
                marks, run.manifest().caption());
    }

    private static Mark.CellMarkers discovered(SpectraResult run, TestedHeads tested) {
        return new Mark.CellMarkers(IntStream.range(0, run.layers() * run.heads())
                .filter(tested::isDiscovered)
                .mapToObj(i -> new Mark.Cell(i / run.heads(), i % run.heads()))
                .toList());
    }
}
