package headscope.cli;

import headscope.analysis.InputException;
import headscope.render.FigureFile;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A run's picture again, from its folder alone. */
@Command(
        name = "render",
        mixinStandardHelpOptions = true,
        description = "Draws the picture of a finished run again; needs neither model nor texts.",
        footer = {"", "Example:", "  ./headscope render runs/demo --dpi 400 --out demo.png"})
final class RenderCommand implements Callable<Integer> {
    private static final int LEAST_DPI = 36;
    private static final int MOST_DPI = 1200;

    @Parameters(paramLabel = "RUN", description = "The folder of a finished run.")
    Path run;

    @Option(names = "--out", paramLabel = "FILE", description = "PNG to write (default: those of the run, in RUN).")
    Path out;

    @Option(names = "--dpi", paramLabel = "N", description = "Dots per inch (default: ${DEFAULT-VALUE}).")
    int dpi = FigureFile.DEFAULT_DPI;

    @Override
    public Integer call() {
        if (dpi < LEAST_DPI || dpi > MOST_DPI) {
            throw new InputException("--dpi must be from %d to %d, not %d".formatted(LEAST_DPI, MOST_DPI, dpi));
        }
        if (out == null) {
            PictureFiles.drawAll(run, dpi).forEach(System.out::println);
        } else {
            PictureFiles.draw(run, out, dpi);
            System.out.println(out);
        }
        return 0;
    }
}
