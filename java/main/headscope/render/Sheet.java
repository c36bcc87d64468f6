package headscope.render;

import headscope.figure.Tick;
import java.util.ArrayList;
import java.util.List;

/** What a layout has put down so far, and the measures it works in: units become pixels here. */
final class Sheet {
    static final int INK = 0x000000;
    static final int PALE_INK = 0x5F6368;

    /** Between things that belong together, such as a number and its tick mark. */
    static final double GAP = 5;

    /** Between an axis's numbers and its name. */
    static final double LABEL_GAP = 9;

    static final double TICK = 5;
    static final double LABEL_SIZE = 17;
    static final double TICK_SIZE = 16;

    private static final double LINE = 1;
    private static final String ELLIPSIS = "\u2026";

    final List<Label> labels = new ArrayList<>();
    final List<Box> rules = new ArrayList<>();
    final List<Box> gridLines = new ArrayList<>();
    final List<Stroke> strokes = new ArrayList<>();
    final TextMeasure measure;

    /** Pixels per unit. */
    final double scale;

    /** The width of a rule, in pixels. */
    final int line;

    Sheet(double scale, TextMeasure measure) {
        this.scale = scale;
        this.measure = measure;
        this.line = Math.max(1, px(LINE));
    }

    int px(double units) {
        return (int) Math.round(units * scale);
    }

    float size(double units) {
        return (float) (units * scale);
    }

    static int up(double pixels) {
        return (int) Math.ceil(pixels);
    }

    /** Whole pixels that a line of text needs: as high as {@link Label}'s box may become. */
    int lineHeight(float size) {
        return up(measure.ascent(size)) + up(measure.descent(size)) + 1;
    }

    /** A level line of text around x, on a baseline. */
    void center(String text, float size, double x, int baseline) {
        add(text, size, INK, x - measure.width(text, size) / 2, baseline, false);
    }

    /** A line of text that runs upwards around y; its baseline is at x. */
    void upward(String text, float size, double x, double y) {
        add(text, size, INK, x, y + measure.width(text, size) / 2, true);
    }

    void add(String text, float size, int rgb, double x, double y, boolean upward) {
        if (!text.isEmpty()) {
            labels.add(Label.of(text, size, rgb, x, y, upward, measure));
        }
    }

    void frame(Box box) {
        int outerWidth = box.width() + 2 * line;
        rules.add(new Box(box.x() - line, box.y() - line, outerWidth, line));
        rules.add(new Box(box.x() - line, box.bottom(), outerWidth, line));
        rules.add(new Box(box.x() - line, box.y(), line, box.height()));
        rules.add(new Box(box.right(), box.y(), line, box.height()));
    }

    double widest(List<Tick> ticks, float size) {
        return ticks.stream().mapToDouble(tick -> measure.width(tick.label(), size)).max().orElse(0);
    }

    /** The size, or what makes the text no longer than {@code length}. */
    float fitted(String text, float size, double length) {
        double width = measure.width(text, size);
        return width <= length ? size : (float) (size * length / width);
    }

    /** The text, or as much of its beginning as fits before an ellipsis; empty if not even that fits. */
    String shortened(String text, float size, double length) {
        if (measure.width(text, size) <= length) {
            return text;
        }
        int end = text.length();
        while (end > 0) {
            end = text.offsetByCodePoints(end, -1);
            String shorter = text.substring(0, end) + ELLIPSIS;
            if (measure.width(shorter, size) <= length) {
                return shorter;
            }
        }
        return "";
    }

    /** The baseline of figures whose middle is at a place across it. */
    long middle(double place, float size) {
        return Math.round(place + measure.capHeight(size) / 2);
    }

    /** The baseline of words whose middle, between the tallest and the lowest letters, is at a place across it. */
    long middleOfWords(double place, float size) {
        return Math.round(place + (measure.ascent(size) - measure.descent(size)) / 2);
    }

    /** The first pixel of a rule whose middle is at a place. */
    int edge(double place) {
        return (int) Math.round(place - line / 2.0);
    }
}
