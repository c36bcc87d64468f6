package headscope.render.layout;

import headscope.figure.Figure;
import headscope.render.TextMeasure;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;
import java.util.function.Predicate;

/** Finds the lengths of the panels with which a figure has a given size. Texts keep their size. */
final class Fitting {
    /** Factors of the panels' natural lengths between which the search bisects. */
    private static final double SMALLEST = 1.0 / 64;

    private static final double LARGEST = 64;

    /** Enough to bisect twelve octaves to a precision of one pixel in ten thousand. */
    private static final int STEPS = 16;

    /** Width and height depend on each other a little, through wrapped captions and labels. */
    private static final int ROUNDS = 3;

    private final Figure figure;
    private final FigureSize size;
    private final TextMeasure measure;
    private final int width;
    private final int height;

    Fitting(Figure figure, FigureSize size, TextMeasure measure) {
        this.figure = figure;
        this.size = size;
        this.measure = measure;
        this.width = pixels(size.width());
        this.height = pixels(size.height());
    }

    /** 0 if absent. */
    private int pixels(OptionalDouble inches) {
        return inches.isPresent() ? (int) Math.round(inches.getAsDouble() * size.dpi()) : 0;
    }

    Layout layout() {
        if (width == 0 && height == 0) {
            double panels = 1 / size.enlargement();
            Layout natural = compose(panels, panels);
            if (panels != 1 && !natural.legible()) {
                throw tooSmall("--font-size %s is too large for the figure's natural size".formatted(number(size.fontSize())));
            }
            return natural;
        }
        double across = 1;
        double down = 1;
        if (width > 0 && height > 0) {
            for (int round = 0; round < ROUNDS; round++) {
                double rows = down;
                across = largest(factor -> compose(factor, rows), layout -> layout.width() <= width);
                double columns = across;
                down = largest(factor -> compose(columns, factor), layout -> layout.height() <= height);
            }
        } else {
            across = largest(factor -> compose(factor, factor), this::fits);
            down = across;
        }
        Layout fitted = compose(across, down);
        if (!fits(fitted) || !fitted.legible()) {
            throw tooSmall("%s is too small for the figure's labels".formatted(given()));
        }
        return Composer.compose(figure, size.scale(), measure, new Stretch(across, down, width, height));
    }

    private Layout compose(double across, double down) {
        return Composer.compose(figure, size.scale(), measure, Stretch.of(across, down));
    }

    private boolean fits(Layout layout) {
        return (width == 0 || layout.width() <= width) && (height == 0 || layout.height() <= height);
    }

    /** The largest factor whose layout satisfies a condition that holds up to some factor. */
    private static double largest(DoubleFunction<Layout> layout, Predicate<Layout> condition) {
        double low = SMALLEST;
        double high = LARGEST;
        for (int step = 0; step < STEPS; step++) {
            double middle = Math.sqrt(low * high);
            if (condition.test(layout.apply(middle))) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private String given() {
        String across = size.width().isPresent() ? "--width " + inches(size.width().getAsDouble()) : "";
        String down = size.height().isPresent() ? "--height " + inches(size.height().getAsDouble()) : "";
        return (across + " " + down).strip();
    }

    private IllegalArgumentException tooSmall(String what) {
        double panels = largest(factor -> compose(factor, factor), layout -> !layout.legible());
        Layout legible = compose(panels * 1.001, panels * 1.001);
        return new IllegalArgumentException(
                "%s: with a font size of %s pt it needs about %s x %s; a smaller --font-size needs less".formatted(what,
                        number(size.fontSize()), inches((legible.width() + 1.0) / size.dpi()),
                        inches((legible.height() + 1.0) / size.dpi())));
    }

    private static String inches(double inches) {
        return String.format(Locale.ROOT, "%.1fin", Math.ceil(10 * inches) / 10);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
