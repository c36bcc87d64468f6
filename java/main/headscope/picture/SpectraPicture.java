package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.IntStream;

/** The picture of a spectra run, from its folder alone. */
final class SpectraPicture {
    private static final double LEVEL = 0.05;

    private SpectraPicture() {}

    static Figure of(Path folder, Manifest manifest) {
        HeadTable heads = HeadTable.read(folder.resolve("heads.csv"));
        Optional<SpectraFigure.Significant> marks = manifest.flag("/mark_significant")
                ? Optional.of(new SpectraFigure.Significant(
                        significant(heads, "attention_score_q"), significant(heads, "laplacian_q"), "q < 0.05"))
                : Optional.empty();
        return SpectraFigure.of(
                heads.map("attention_score_p", "AttnScore", "p-value"),
                heads.map("laplacian_p", "Laplacian Eigenvalues", "p-value"), marks, manifest.text("/caption"));
    }

    private static Mark.CellMarkers significant(HeadTable heads, String column) {
        double[] q = heads.column(column);
        return new Mark.CellMarkers(IntStream.range(0, q.length)
                .filter(i -> q[i] < LEVEL)
                .mapToObj(i -> new Mark.Cell(i / heads.heads(), i % heads.heads()))
                .toList());
    }
}
