package headscope.cli;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.render.FigureFile;
import headscope.render.RenderUnavailableException;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import headscope.result.ResultFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The picture of a run, from its folder alone. */
final class RunFigure {
    private static final double LEVEL = 0.05;

    private RunFigure() {}

    /** {@link #drawAll}, or none and a line that says why, where this machine cannot draw. */
    static List<Path> drawIfPossible(Path folder) {
        try {
            return drawAll(folder, FigureFile.DEFAULT_DPI);
        } catch (RenderUnavailableException unavailable) {
            System.err.printf("headscope: no picture: %s; then: ./headscope render %s%n",
                    unavailable.getMessage(), ShellWords.joined(List.of(folder.toString())));
            return List.of();
        }
    }

    /**
     * All pictures of a run, in its folder: first the analysis's own, under its name.
     *
     * @return the files
     */
    static List<Path> drawAll(Path folder, int dpi) {
        Manifest manifest = Manifest.read(folder);
        List<Path> files = new ArrayList<>(List.of(folder.resolve(manifest.text("/analysis") + ".png")));
        draw(folder, files.getFirst(), dpi);
        if (manifest.text("/analysis").equals("gates")) {
            GatesPicture.checks(folder, manifest).forEach((file, figure) -> {
                write(figure, manifest, folder.resolve(file), dpi);
                files.add(folder.resolve(file));
            });
        }
        return files;
    }

    /** @param folder of a run */
    static void draw(Path folder, Path file, int dpi) {
        Manifest manifest = Manifest.read(folder);
        Figure figure = switch (manifest.text("/analysis")) {
            case "spectra" -> spectra(folder, manifest);
            case "saliency" -> SaliencyPicture.of(folder, manifest);
            case "gates" -> GatesPicture.of(folder, manifest);
            case "functions" -> FunctionsPicture.of(folder, manifest);
            default -> throw new ResultFormatException(folder.resolve("manifest.json"),
                    "\"analysis\" is \"%s\"; there are pictures of spectra, saliency, functions and gates"
                            .formatted(manifest.text("/analysis")));
        };
        write(figure, manifest, file, dpi);
    }

    private static void write(Figure figure, Manifest manifest, Path file, int dpi) {
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
