package headscope.cli;

import headscope.analysis.InputException;
import headscope.picture.RunPage;
import headscope.render.OffscreenRenderer;
import headscope.result.Manifest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows a finished run. */
@Command(
        name = "view",
        mixinStandardHelpOptions = true,
        description = {
            "Shows a finished run.",
            "The HTML page needs no server and no other file: it can be opened from disk, mailed and printed."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope view runs/demo --html demo.html",
            "  ./headscope view runs/demo --out demo.png"
        })
final class ViewCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", description = "Folder of a finished run.")
    Path run;

    @Option(names = "--html", paramLabel = "FILE",
            description = "Write an HTML page: heatmaps with the values under the pointer, a sortable table of heads,"
                    + " numbers and settings.")
    Optional<Path> html = Optional.empty();

    @Option(names = "--out", paramLabel = "FILE", description = "Write the main figure to this PNG file, as render does.")
    Optional<Path> out = Optional.empty();

    @Override
    public Integer call() throws IOException {
        if (html.isEmpty() && out.isEmpty()) {
            throw new InputException("nothing to write: give --html FILE or --out FILE");
        }
        if (html.isPresent()) {
            String page = RunPage.of("Headscope: " + title(), List.of(run));
            AtomicFile.write(html.get(), page);
            System.out.println(html.get());
        }
        if (out.isPresent()) {
            try (PictureFiles pictures = new PictureFiles()) {
                pictures.draw(run, out.get(), OffscreenRenderer.DEFAULT_DPI);
            }
            System.out.println(out.get());
        }
        return 0;
    }

    /** Such as "spectra of demo". */
    private String title() {
        Manifest manifest = Manifest.read(run);
        Path model = Path.of(manifest.text("/model/path"));
        return model.getFileName() == null ? manifest.analysis() : "%s of %s".formatted(manifest.analysis(), model.getFileName());
    }
}
