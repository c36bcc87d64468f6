package headscope.cli;

import headscope.figure.Figure;
import headscope.picture.RunFigures;
import headscope.render.MissingFont;
import headscope.render.OffscreenRenderer;
import headscope.render.RenderUnavailableException;
import headscope.result.Manifest;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Draws the figures of runs as PNG files. One renderer, opened for the first figure, draws all of them. */
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
            return drawAll(folder, OffscreenRenderer.DEFAULT_DPI, UnaryOperator.identity());
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
    List<Path> drawAll(Path folder, int dpi, UnaryOperator<SpectraView> view) {
        Manifest manifest = Manifest.read(folder);
        List<Path> files = new ArrayList<>();
        RunFigures.of(folder, view).forEach((name, figure) -> {
            files.add(folder.resolve(name));
            write(figure, manifest, files.getLast(), dpi);
        });
        return files;
    }

    /**
     * Draws the main figure of a run into a file.
     *
     * @param view from the view of a spectra run to the one that is drawn
     */
    void draw(Path folder, Path file, int dpi, UnaryOperator<SpectraView> view) {
        write(RunFigures.of(folder, view).firstEntry().getValue(), Manifest.read(folder), file, dpi);
    }

    private void write(Figure figure, Manifest manifest, Path file, int dpi) {
        if (renderer.isEmpty()) {
            renderer = Optional.of(OffscreenRenderer.open());
        }
        List<MissingFont> missing = renderer.get().write(figure, file, dpi, Map.of(
                "Software", manifest.text("/program"),
                "Command", manifest.text("/command"),
                "Run", manifest.text("/run")));
        missing.forEach(font -> HeadscopeCommand.warn(
                "%s: no font for %s, boxes are drawn; on Debian or Ubuntu: apt-get install %s, then draw it again with"
                        .formatted(file.getFileName(), font.script(), font.debianPackage()) + " ./headscope render"));
    }

    @Override
    public void close() {
        renderer.ifPresent(OffscreenRenderer::close);
    }
}
