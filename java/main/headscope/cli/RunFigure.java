package headscope.cli;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.render.FigureFile;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import headscope.result.ResultFormatException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The picture of a run, from its folder alone. */
final class RunFigure {
    private static final double LEVEL = 0.05;

    private RunFigure() {}

    /** @param folder of a run */
    static void draw(Path folder, Path file, int dpi) {
        Manifest manifest = Manifest.read(folder);
        Figure figure = switch (manifest.text("/analysis")) {
            case "spectra" -> spectra(folder, manifest);
            case "saliency" -> SaliencyPicture.of(folder, manifest);
            default -> throw new ResultFormatException(folder.resolve("manifest.json"),
                    "\"analysis\" is \"%s\"; there are pictures of spectra and saliency".formatted(manifest.text("/analysis")));
        };
        FigureFile.write(figure, file, dpi, Map.of(
                "Software", manifest.text("/program"),
                "Command", manifest.text("/command"),
                "Run", manifest.text("/run")));
    }

    private static Figure spectra(Path folder, Manifest manifest) {
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
