package headscope.cli;

import headscope.figure.Figure;
import headscope.picture.RunFigures;
import headscope.render.FigureFile;
import headscope.render.RenderUnavailableException;
import headscope.result.Manifest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Draws the pictures of a run as PNG files. */
final class PictureFiles {
    private PictureFiles() {}

    /**
     * {@link #drawAll} at print quality. Where this machine cannot draw, prints one line that says why and how to draw
     * later.
     *
     * @param folder that holds the run's files now
     * @param out    the published run folder, for the message
     * @return the files; empty where nothing was drawn
     */
    static List<Path> drawIfPossible(Path folder, Path out) {
        try {
            return drawAll(folder, FigureFile.DEFAULT_DPI);
        } catch (RenderUnavailableException unavailable) {
            System.err.printf("headscope: no picture: %s; then: ./headscope render %s%n",
                    unavailable.getMessage(), ShellCommand.quoted(out.toString()));
            return List.of();
        }
    }

    /**
     * Draws every picture of a run into its folder; the analysis's own comes first.
     *
     * @return the files
     */
    static List<Path> drawAll(Path folder, int dpi) {
        Manifest manifest = Manifest.read(folder);
        List<Path> files = new ArrayList<>();
        RunFigures.of(folder).forEach((name, figure) -> {
            files.add(folder.resolve(name));
            write(figure, manifest, files.getLast(), dpi);
        });
        return files;
    }

    /** Draws the analysis's own picture of a run into a file. */
    static void draw(Path folder, Path file, int dpi) {
        write(RunFigures.of(folder).firstEntry().getValue(), Manifest.read(folder), file, dpi);
    }

    private static void write(Figure figure, Manifest manifest, Path file, int dpi) {
        FigureFile.write(figure, file, dpi, Map.of(
                "Software", manifest.text("/program"),
                "Command", manifest.text("/command"),
                "Run", manifest.text("/run")));
    }
}
