package headscope.cli;

import headscope.analysis.InputException;
import headscope.render.OffscreenRenderer;
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
            "  ./headscope render runs/demo-all/*/"
        })
final class RenderCommand implements Callable<Integer> {
    private static final int MIN_DPI = 36;
    private static final int MAX_DPI = 1200;

    @Parameters(paramLabel = "RUN", arity = "1..*", description = "Folders of finished runs.")
    List<Path> runs;

    @Option(names = "--out", paramLabel = "FILE",
            description = "Write only the main figure of a single RUN, to this PNG file.")
    Path out;

    @Option(names = "--dpi", paramLabel = "N", description = "Dots per inch (default: ${DEFAULT-VALUE}).")
    int dpi = OffscreenRenderer.DEFAULT_DPI;

    @Mixin
    SpectraViewOptions view = new SpectraViewOptions();

    @Override
    public Integer call() {
        if (dpi < MIN_DPI || dpi > MAX_DPI) {
            throw new InputException("--dpi must be from %d to %d, not %d".formatted(MIN_DPI, MAX_DPI, dpi));
        }
        if (out != null && runs.size() > 1) {
            throw new InputException("--out takes the figure of one run, not of " + runs.size());
        }
        if (view.given()) {
            runs.forEach(RenderCommand::requireSpectra);
        }
        try (PictureFiles pictures = new PictureFiles()) {
            if (out != null) {
                draw(pictures, runs.getFirst());
            } else {
                runs.forEach(run -> draw(pictures, run));
            }
        }
        return 0;
    }

    private static void requireSpectra(Path run) {
        String analysis = Manifest.read(run).analysis();
        InputException.require(analysis.equals(SpectraResult.ANALYSIS),
                "%s: is a run of %s; --draw, --show, --mark-significant and --threshold are for runs of spectra"
                        .formatted(run, analysis));
    }

    /** Draws the figures of one run and prints their files; a resolution that this OpenGL cannot draw is rejected. */
    private void draw(PictureFiles pictures, Path run) {
        List<Path> files = InputException.rejecting(() -> {
            if (out == null) {
                return pictures.drawAll(run, dpi, view::over);
            }
            pictures.draw(run, out, dpi, view::over);
            return List.of(out);
        });
        files.forEach(System.out::println);
    }
}
