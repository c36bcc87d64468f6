package headscope.cli;

import static headscope.analysis.InputException.rejecting;

import headscope.figure.Figure;
import headscope.picture.RunFigures;
import headscope.render.FigureFormat;
import headscope.render.MissingFont;
import headscope.render.OffscreenRenderer;
import headscope.render.RenderUnavailableException;
import headscope.render.layout.FigureSize;
import headscope.render.vector.SvgFile;
import headscope.result.Manifest;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/** Draws the figures of runs into files. One renderer, opened for the first PNG file, draws all of them. */
final class PictureFiles implements AutoCloseable {
    private Optional<OffscreenRenderer> renderer = Optional.empty();

    /**
     * {@link #drawAll} at the default resolution. If this machine cannot draw, prints one line with the reason and the
     * command that draws later.
     *
     * @param folder that contains the run's files at this moment
     * @param out    the published run folder, for the message
     * @return the files; empty if nothing was drawn
     */
    List<Path> drawIfPossible(Path folder, Path out) {
        try {
            return drawAll(folder, FigureSize.of(FigureSize.DEFAULT_DPI), new PictureOptions(), UnaryOperator.identity());
        } catch (RenderUnavailableException unavailable) {
            HeadscopeCommand.warn("no figure: %s; afterwards run: ./headscope render %s"
                    .formatted(unavailable.getMessage(), ShellCommand.quoted(out.toString())));
            return List.of();
        }
    }

    /**
     * Draws every figure of a run into its folder; the main figure comes first.
     *
     * @param view from the view of a spectra run to the one that is drawn
     * @return the files
     */
    List<Path> drawAll(Path folder, FigureSize size, PictureOptions options, UnaryOperator<SpectraView> view) {
        Map<String, String> texts = texts(Manifest.read(folder));
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        RunFigures.of(folder, view).forEach((name, figure) -> figures.put(name, options.applied(figure, figures.isEmpty())));
        List<Path> files = new ArrayList<>();
        figures.forEach((name, figure) -> {
            files.add(folder.resolve(name));
            write(figure, files.getLast(), size, texts);
        });
        return files;
    }

    /**
     * Draws the main figure of a run into a file.
     *
     * @param view from the view of a spectra run to the one that is drawn
     */
    void draw(Path folder, Path file, FigureSize size, PictureOptions options, UnaryOperator<SpectraView> view) {
        Figure figure = options.applied(RunFigures.of(folder, view).firstEntry().getValue(), true);
        write(figure, file, size, texts(Manifest.read(folder)));
    }

    private static Map<String, String> texts(Manifest manifest) {
        return Map.of("Software", manifest.text("/program"), "Command", manifest.text("/command"),
                "Run", manifest.text("/run"));
    }

    /**
     * Draws a figure into a file of the format that its name's ending says.
     *
     * @param texts stored in the file by keyword
     */
    void write(Figure figure, Path file, FigureSize size, Map<String, String> texts) {
        switch (rejecting(() -> FigureFormat.of(file))) {
            case PNG -> writePixels(figure, file, size, texts);
            case SVG -> SvgFile.write(figure, file, size, texts);
        }
    }

    /**
     * Opens the renderer of PNG files before the first one is drawn.
     *
     * @throws RenderUnavailableException if this machine cannot draw
     */
    void open() {
        if (renderer.isEmpty()) {
            renderer = Optional.of(OffscreenRenderer.open());
        }
    }

    private void writePixels(Figure figure, Path file, FigureSize size, Map<String, String> texts) {
        open();
        List<MissingFont> missing = renderer.get().write(figure, file, size, texts);
        missing.forEach(font -> HeadscopeCommand.warn(
                "%s: no font for %s, boxes are drawn; on Debian or Ubuntu: apt-get install %s, then draw it again with"
                        .formatted(file.getFileName(), font.script(), font.debianPackage()) + " ./headscope render"));
    }

    @Override
    public void close() {
        renderer.ifPresent(OffscreenRenderer::close);
    }
}
