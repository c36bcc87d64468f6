package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.analysis.InputException;
import headscope.figure.Colormap;
import headscope.figure.Figure;
import headscope.render.layout.FigureSize;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Appearance of a figure in a file. */
final class PictureOptions {
    private static final int MIN_DPI = 36;
    private static final int MAX_DPI = 1200;
    private static final double MAX_INCHES = 200;
    private static final double MIN_POINTS = 2;
    private static final double MAX_POINTS = 200;
    private static final double MILLIMETRES_PER_INCH = 25.4;
    private static final Pattern LENGTH = Pattern.compile("(\\d+(?:\\.\\d+)?|\\.\\d+)(in|mm|cm|px)?");

    @Option(names = "--title", paramLabel = "TEXT", description = "Title above the figure.")
    Optional<String> title = Optional.empty();

    @Option(names = "--width", paramLabel = "LENGTH",
            description = "Width of the figure in inches, or with a unit: 6.5, 165mm, 16.5cm, 1200px. Texts keep their size,"
                    + " panels shrink or grow (default: the width that the panels need).")
    Optional<String> width = Optional.empty();

    @Option(names = "--height", paramLabel = "LENGTH",
            description = "Height of the figure. If only one of --width and --height is given, panels keep their proportions.")
    Optional<String> height = Optional.empty();

    @Option(names = "--font-size", paramLabel = "PT",
            description = "Size of the numbers on axes, in points; all other text scales with it (default: ${DEFAULT-VALUE}).")
    double fontSize = FigureSize.DEFAULT_FONT_SIZE;

    @Option(names = "--colors", paramLabel = "NAME",
            description = "Colour map: magma, inferno, viridis, cividis, rocket, turbo, jet, or, for values on both sides of"
                    + " 0, coolwarm (default: that of the analysis).")
    Optional<String> colors = Optional.empty();

    @Option(names = "--transpose", description = "Draw heads as rows and layers as columns, in maps with one cell per head.")
    boolean transpose;

    @Option(names = "--dpi", paramLabel = "N", description = "Dots per inch (default: ${DEFAULT-VALUE}).")
    int dpi = FigureSize.DEFAULT_DPI;

    /** @throws InputException if an option has an invalid value */
    FigureSize size() {
        require(dpi >= MIN_DPI && dpi <= MAX_DPI, "--dpi must be from %d to %d, not %d".formatted(MIN_DPI, MAX_DPI, dpi));
        require(fontSize >= MIN_POINTS && fontSize <= MAX_POINTS, "--font-size must be from %.0f to %.0f points, not %s"
                .formatted(MIN_POINTS, MAX_POINTS, fontSize));
        return new FigureSize(dpi, inches("--width", width), inches("--height", height), fontSize);
    }

    private OptionalDouble inches(String option, Optional<String> given) {
        if (given.isEmpty()) {
            return OptionalDouble.empty();
        }
        Matcher parts = LENGTH.matcher(given.get());
        require(parts.matches(), "%s must be a length such as 6.5, 165mm, 16.5cm or 1200px, not \"%s\"".formatted(option, given.get()));
        double number = Double.parseDouble(parts.group(1));
        double inches = switch (parts.group(2)) {
            case "mm" -> number / MILLIMETRES_PER_INCH;
            case "cm" -> 10 * number / MILLIMETRES_PER_INCH;
            case "px" -> number / dpi;
            case null, default -> number;
        };
        require(inches > 0 && inches <= MAX_INCHES, "%s must be above 0 and at most %.0f inches, not %s; %s"
                .formatted(option, MAX_INCHES, given.get(), "a number without a unit is in inches"));
        return OptionalDouble.of(inches);
    }

    /** Rejects an unknown colour map; can be called before any work. */
    Optional<Colormap> colormap() {
        return colors.map(name -> rejecting(() -> Colormap.named(name)));
    }

    /**
     * A figure with the title, the colours and the axes that the options ask for. Figures beside the main one, such as
     * curves, stay as they are where an option cannot apply to them.
     */
    Figure applied(Figure figure, boolean main) {
        Figure changed = title.map(figure::withTitle).orElse(figure);
        if (transpose && (main || figure.hasHeadsOnly())) {
            require(figure.hasHeadsOnly(),
                    "--transpose exchanges layers and heads in maps with one cell per head; this figure has other panels,"
                            + " such as curves or a map of tokens (saliency --transpose exchanges the axes of the latter)");
            changed = changed.transposed();
        }
        if (colors.isPresent() && (main || !figure.bars().isEmpty())) {
            Figure transposed = changed;
            changed = rejecting(() -> transposed.withColors(colormap().orElseThrow()));
        }
        return changed;
    }
}
