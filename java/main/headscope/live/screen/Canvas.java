package headscope.live.screen;

import headscope.figure.Tick;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.Stroke;
import headscope.render.TextMeasure;
import headscope.render.screen.Fill;
import headscope.render.screen.Scene;
import java.util.ArrayList;
import java.util.List;

/** Parts of a scene under construction. Converts units into pixels. */
final class Canvas {
    static final double TITLE_SIZE = 16;
    static final double SIZE = 13;
    static final double SMALL_SIZE = 12;

    private static final String ELLIPSIS = "\u2026";

    final Theme theme;
    private final double scale;
    private final TextMeasure measure;
    private final List<Fill> under = new ArrayList<>();
    private final List<Scene.Cells> cells = new ArrayList<>();
    private final List<Fill> over = new ArrayList<>();
    private final List<Stroke> strokes = new ArrayList<>();
    private final List<Label> labels = new ArrayList<>();

    Canvas(Theme theme, double scale, TextMeasure measure) {
        this.theme = theme;
        this.scale = scale;
        this.measure = measure;
    }

    /** In drawing order: what lies under the grids, the grids, what lies over them, lines, text. */
    List<Scene.Part> parts() {
        List<Scene.Part> parts = new ArrayList<>();
        parts.add(new Scene.Fills(under));
        parts.addAll(cells);
        parts.add(new Scene.Fills(over));
        parts.add(new Scene.Strokes(strokes));
        parts.add(new Scene.Texts(labels));
        return parts;
    }

    int px(double units) {
        return (int) Math.round(units * scale);
    }

    /** At least one pixel. */
    int line(double units) {
        return Math.max(1, px(units));
    }

    float size(double units) {
        return (float) (units * scale);
    }

    double width(String text, double units) {
        return measure.width(text, size(units));
    }

    /** From one line of text to the next, in pixels. */
    int lineHeight(double units) {
        return px(1.5 * units);
    }

    /** The baseline that centres words at a coordinate. */
    double baseline(double middle, double units) {
        return Math.round(middle + measure.capHeight(size(units)) / 2);
    }

    void fill(Box box, int rgb) {
        if (box.width() > 0 && box.height() > 0) {
            under.add(new Fill(box, rgb, 1));
        }
    }

    void fill(Box box, int rgb, double opacity) {
        under.add(new Fill(box, rgb, opacity));
    }

    void cells(Scene.Cells grid) {
        cells.add(grid);
    }

    /** Over the grids. */
    void cover(Box box, int rgb) {
        if (box.width() > 0 && box.height() > 0) {
            over.add(new Fill(box, rgb, 1));
        }
    }

    /** A frame outside a box, over the grids. */
    void frame(Box box, int width, int rgb) {
        cover(new Box(box.x() - width, box.y() - width, box.width() + 2 * width, width), rgb);
        cover(new Box(box.x() - width, box.bottom(), box.width() + 2 * width, width), rgb);
        cover(new Box(box.x() - width, box.y(), width, box.height()), rgb);
        cover(new Box(box.right(), box.y(), width, box.height()), rgb);
    }

    void stroke(double x0, double y0, double x1, double y1, double units, int rgb) {
        strokes.add(new Stroke(x0, y0, x1, y1, units * scale, rgb));
    }

    /** Returns where the text ends. */
    double text(String text, double units, int rgb, double x, double baseline) {
        double width = width(text, units);
        if (!text.isEmpty()) {
            labels.add(Label.of(text, size(units), rgb, x, baseline, false, measure));
        }
        return x + width;
    }

    void right(String text, double units, int rgb, double end, double baseline) {
        text(text, units, rgb, end - width(text, units), baseline);
    }

    void center(String text, double units, int rgb, double middle, double baseline) {
        text(text, units, rgb, middle - width(text, units) / 2, baseline);
    }

    /** Upward text that ends at {@code top}. */
    void upward(String text, double units, int rgb, double middle, double top) {
        labels.add(Label.of(text, size(units), rgb, baseline(middle, units), top + width(text, units), true, measure));
    }

    /** The text, or as much of its beginning as fits with an ellipsis. */
    String shortened(String text, double units, double length) {
        if (width(text, units) <= length) {
            return text;
        }
        int end = text.length();
        while (end > 0) {
            end = text.offsetByCodePoints(end, -1);
            String shorter = text.substring(0, end) + ELLIPSIS;
            if (width(shorter, units) <= length) {
                return shorter;
            }
        }
        return "";
    }

    /** Tick marks and numbers to the right of a vertical bar whose range runs upwards. */
    void ticksRight(Box bar, List<Tick> ticks, java.util.function.ToDoubleFunction<Tick> fraction) {
        for (Tick tick : ticks) {
            double y = bar.bottom() - fraction.applyAsDouble(tick) * bar.height();
            cover(new Box(bar.right() + line(1), (int) Math.round(y - line(1) / 2.0), px(4), line(1)), theme.rule());
            text(tick.label(), SMALL_SIZE, theme.pale(), bar.right() + px(9), baseline(y, SMALL_SIZE));
        }
    }
}
