package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.cli.terminal.GivenOptions;
import headscope.figure.Figure;
import headscope.live.window.FigureViewer;
import headscope.picture.RunFigures;
import headscope.picture.RunPage;
import headscope.render.FigureFormat;
import headscope.render.layout.FigureSize;
import headscope.render.window.Window;
import headscope.result.Manifest;
import headscope.result.tapped.CapturedText;
import headscope.tensor.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Shows a finished run, or plays a recording. */
@Command(
        name = "view",
        mixinStandardHelpOptions = true,
        description = {
            "Shows a finished run, or plays a recording of live --record.",
            "A window shows the figures of a run; the arrow keys change between them.",
            "The HTML page of a run needs no server and no other file: it can be opened from disk, mailed"
                    + " and printed."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope view runs/demo",
            "  ./headscope view runs/demo --html demo.html",
            "  ./headscope view runs/demo --out demo.svg --width 165mm --font-size 9",
            "  ./headscope view runs/demo --serve 8080",
            "  ./headscope view demo.frames --speed 2"
        })
final class ViewCommand implements Callable<Integer> {
    @Spec
    CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Folder of a finished run, or a recording.")
    Path run;

    @Option(names = "--html", paramLabel = "FILE",
            description = "Write an HTML page: heatmaps with the values under the pointer, a sortable table of heads,"
                    + " numbers and settings.")
    Optional<Path> html = Optional.empty();

    @Option(names = "--out", paramLabel = "FILE", description = "Write the main figure to this file, .png or .svg, as render does; --title, --width, --height, --font-size,"
                    + " --colors, --transpose and --dpi apply to it.")
    Optional<Path> out = Optional.empty();

    @Mixin
    PictureOptions picture = new PictureOptions();

    @Mixin
    PlayOptions play = new PlayOptions();

    @Mixin
    Views views = new Views();

    @Override
    public Integer call() throws IOException, InterruptedException {
        FigureSize drawn = picture.size();
        picture.colormap();
        out.ifPresent(file -> rejecting(() -> FigureFormat.of(file)));
        ParseResult given = spec.commandLine().getParseResult();
        if (out.isEmpty()) {
            GivenOptions.refuse(given, GivenOptions.of(PictureOptions.class),
                    "%s applies to the file of --out; add --out FILE.png or FILE.svg"::formatted);
        }
        if (Files.isRegularFile(run)) {
            require(!CapturedText.seemsToBe(run), run + ": is not a recording; live --replay shows a text written by headscope_tap.save");
            require(html.isEmpty() && out.isEmpty(),
                    "--html and --out show a finished run; for a recording use --headless with --frames or --film");
            play.play(run, views, () -> { });
            return 0;
        }
        require(!views.headless.on && views.record.isEmpty(),
                "--headless and --record show a recording; for a finished run use --html, --out or --serve");
        GivenOptions.refuse(given, GivenOptions.of(PlayOptions.class, HeadlessOptions.class)
                .or(GivenOptions.named("--theme", "--vsync", "--pictures")), "%s has no effect on a finished run: leave it out"::formatted);
        boolean window = html.isEmpty() && out.isEmpty() && views.serve.isEmpty();
        if (!window) {
            GivenOptions.refuse(given, GivenOptions.named("--size"),
                    "%s is that of a window, which --html, --out and --serve do not open: leave it out"::formatted);
        }
        if (window) {
            WindowOptions.Size size = views.window.size();
            List<Figure> figures = List.copyOf(RunFigures.of(run).values());
            Window.requireDisplay("write a page or a picture with --html FILE or --out FILE, or serve a page with --serve PORT");
            FigureViewer.show("Headscope: " + title(), figures, size.width(), size.height());
        }
        if (out.isPresent()) {
            try (PictureFiles pictures = new PictureFiles()) {
                rejecting(() -> {
                    pictures.draw(run, out.get(), drawn, picture, UnaryOperator.identity());
                    return out.get();
                });
            }
            System.out.println(out.get());
        }
        if (html.isPresent()) {
            AtomicFile.write(html.get(), page());
            System.out.println(html.get());
        }
        if (views.serve.isPresent()) {
            views.serve(page());
        }
        return 0;
    }

    private String page() {
        return RunPage.of("Headscope: " + title(), List.of(run));
    }

    /** Such as "spectra of demo". */
    private String title() {
        Manifest manifest = Manifest.read(run);
        Path model = Path.of(manifest.text("/model/path"));
        return model.getFileName() == null ? manifest.analysis() : "%s of %s".formatted(manifest.analysis(), model.getFileName());
    }
}
