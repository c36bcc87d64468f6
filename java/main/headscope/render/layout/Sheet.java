package headscope.render.layout;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.Stroke;
import headscope.render.TextMeasure;
import java.util.ArrayList;
import java.util.List;

/** The labels, rules and strokes of a layout under construction. Converts units into pixels. */
final class Sheet {
    static final int INK = 0x000000;
    static final int PALE_INK = 0x5F6368;

    /** Distance between parts that belong together, such as a number and its tick mark. */
    static final double GAP = 5;

    /** Distance between the labels of an axis and its name. */
    static final double LABEL_GAP = 9;

    static final double TICK = 5;
    static final double LABEL_SIZE = 17;
    static final double TICK_SIZE = 16;

    /** Names of axes and colour bars shrink to this size; then they are shortened. */
    private static final double MIN_LABEL_SIZE = 9.5;

    private static final double LINE = 1;
    private static final String ELLIPSIS = "\u2026";

    final List<Label> labels = new ArrayList<>();
    final List<Box> rules = new ArrayList<>();
    final List<Box> gridLines = new ArrayList<>();
    final List<Stroke> strokes = new ArrayList<>();
    final TextMeasure measure;

    /** Pixels per unit. */
    final double scale;

    /** Width of a rule, in pixels. */
    final int line;

    /** Whether the name of an axis or a colour bar is shortened. */
    boolean cramped;

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

    /** Maximum height of a {@link Label}'s box, in pixels. */
    int lineHeight(float size) {
        return up(measure.ascent(size)) + up(measure.descent(size)) + 1;
    }

    /** A level line of text, centred at x. */
    void center(String text, float size, double x, int baseline) {
        add(text, size, INK, x - measure.width(text, size) / 2, baseline, false, Label.Anchor.MIDDLE);
    }

    /** An upward line of text, centred at y, with its baseline at x. */
    void upward(String text, float size, double x, double y) {
        add(text, size, INK, x, y + measure.width(text, size) / 2, true, Label.Anchor.MIDDLE);
    }

    /** A line whose start stays in place. */
    void add(String text, float size, int rgb, double x, double y, boolean upward) {
        add(text, size, rgb, x, y, upward, Label.Anchor.START);
    }

    void add(String text, float size, int rgb, double x, double y, boolean upward, Label.Anchor anchor) {
        if (!text.isEmpty()) {
            labels.add(Label.of(text, size, rgb, x, y, upward, measure).with(anchor));
        }
    }

    void frame(Box box) {
        int outerWidth = box.width() + 2 * line;
        rules.add(new Box(box.x() - line, box.y() - line, outerWidth, line));
        rules.add(new Box(box.x() - line, box.bottom(), outerWidth, line));
        rules.add(new Box(box.x() - line, box.y(), line, box.height()));
        rules.add(new Box(box.right(), box.y(), line, box.height()));
    }

    /** Width of the widest text. */
    double widest(List<String> texts, float size) {
        return texts.stream().mapToDouble(text -> measure.width(text, size)).max().orElse(0);
    }

    /** The size, reduced if necessary so that the text is no longer than {@code length}. */
    float fitted(String text, float size, double length) {
        double width = measure.width(text, size);
        return width <= length ? size : (float) (size * length / width);
    }

    /** The size of the name of an axis or a colour bar. */
    float nameSize(String name, double length) {
        return Math.max(fitted(name, size(LABEL_SIZE), length), size(MIN_LABEL_SIZE));
    }

    /** The name of an axis or a colour bar, shortened if it does not fit at its size. */
    String name(String name, float size, double length) {
        if (measure.width(name, size) <= length * (1 + 1e-6)) {
            return name;
        }
        cramped = true;
        return shortened(name, size, length);
    }

    /** The text, or as much of its beginning as fits with an ellipsis; empty if not even the ellipsis fits. */
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

    /** The baseline of numbers that are centred at a coordinate across the baseline. */
    long middle(double coordinate, float size) {
        return Math.round(coordinate + measure.capHeight(size) / 2);
    }

    /** The baseline of words that are centred, from the tallest to the lowest letters, at a coordinate across it. */
    long middleOfWords(double coordinate, float size) {
        return Math.round(coordinate + (measure.ascent(size) - measure.descent(size)) / 2);
    }

    /** The first pixel of a rule that is centred at a coordinate. */
    int edge(double coordinate) {
        return (int) Math.round(coordinate - line / 2.0);
    }
}
