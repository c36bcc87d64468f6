package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.render.FigureFormat;
import headscope.render.layout.FigureSize;
import headscope.result.Manifest;
import headscope.result.SpectraResult;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Draws the figures of finished runs again, from their folders alone. */
@Command(
        name = "render",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Draws the figures of finished runs again.",
            "The figures are written into the folders of the runs. Neither model nor texts are needed."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope render runs/demo --dpi 400 --out demo.png",
            "  ./headscope render runs/demo --show effect --threshold 0.01 \\",
            "      --out effect.png",
            "  ./headscope render runs/demo --width 165mm --font-size 9 --out demo.svg",
            "  ./headscope render runs/demo --title \"Right and wrong answers\" \\",
            "      --colors cividis --transpose --out demo.png",
            "  ./headscope render runs/demo-all/*/"
        })
final class RenderCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", arity = "1..*", description = "Folders of finished runs.")
    List<Path> runs;

    @Option(names = "--out", paramLabel = "FILE",
            description = "Write only the main figure of a single RUN, to this file: .png for pixels, .svg for vector"
                    + " graphics, whose text stays text.")
    Path out;

    @Mixin
    PictureOptions options = new PictureOptions();

    @Mixin
    SpectraViewOptions view = new SpectraViewOptions();

    @Override
    public Integer call() {
        FigureSize size = options.size();
        options.colormap();
        if (out != null) {
            require(runs.size() == 1, "--out is for the figure of a single run, not of " + runs.size());
            rejecting(() -> FigureFormat.of(out));
        }
        if (view.given()) {
            runs.forEach(RenderCommand::requireSpectra);
        }
        try (PictureFiles pictures = new PictureFiles()) {
            for (Path run : runs) {
                draw(pictures, run, size).forEach(System.out::println);
            }
        }
        return 0;
    }

    private static void requireSpectra(Path run) {
        String analysis = Manifest.read(run).analysis();
        require(analysis.equals(SpectraResult.ANALYSIS),
                "%s: is a %s run; --draw, --show, --mark-significant and --threshold are for spectra runs"
                        .formatted(run, analysis));
    }

    /** Draws the figures of one run; a size that does not fit or that this OpenGL cannot draw is rejected. */
    private List<Path> draw(PictureFiles pictures, Path run, FigureSize size) {
        return rejecting(() -> {
            if (out == null) {
                return pictures.drawAll(run, size, options, view::over);
            }
            pictures.draw(run, out, size, options, view::over);
            return List.of(out);
        });
    }
}
