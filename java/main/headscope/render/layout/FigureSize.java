package headscope.render.layout;

import java.util.OptionalDouble;

/**
 * The size of a drawn figure.
 *
 * @param dpi      pixels per inch
 * @param width    in inches; if absent, it follows from the height, or is the natural one
 * @param height   in inches; if absent, it follows from the width, or is the natural one
 * @param fontSize of the numbers on axes, in points; other texts, gaps and lines are in proportion
 */
public record FigureSize(int dpi, OptionalDouble width, OptionalDouble height, double fontSize) {
    /** Print quality, about 2400 pixels wide. */
    public static final int DEFAULT_DPI = 2 * Layout.UNITS_PER_INCH;

    public static final double DEFAULT_FONT_SIZE = 12;

    public FigureSize {
        if (dpi < 1) {
            throw new IllegalArgumentException(dpi + " dots per inch");
        }
    }

    /** The natural size. */
    public static FigureSize of(int dpi) {
        return new FigureSize(dpi, OptionalDouble.empty(), OptionalDouble.empty(), DEFAULT_FONT_SIZE);
    }

    /** Factor from the natural size of texts, gaps and lines. */
    double enlargement() {
        return fontSize / DEFAULT_FONT_SIZE;
    }

    /** Pixels per unit of a layout. */
    double scale() {
        return (double) dpi / Layout.UNITS_PER_INCH * enlargement();
    }
}
