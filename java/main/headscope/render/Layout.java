package headscope.render;

import headscope.figure.Axis;
import headscope.figure.Figure;
import headscope.figure.Panel;
import headscope.figure.Tick;
import java.util.ArrayList;
import java.util.List;

/**
 * Where everything of a figure goes, in whole pixels.
 *
 * @param panels per panel of the figure, the cells without the frame
 * @param bar    the colours without the frame
 * @param rules  frames and tick marks, to be filled
 */
record Layout(int width, int height, List<Box> panels, Box bar, List<Label> labels, List<Box> rules) {
    /** Units of a layout per inch of paper; everything below is in such units until it is multiplied by the scale. */
    static final int UNITS_PER_INCH = 96;

    static final int INK = 0x000000;
    static final int PALE_INK = 0x5F6368;

    private static final double MARGIN = 18;
    private static final double PANEL = 468;
    private static final double BAR = 24;
    private static final double BAR_GAP = 46;
    private static final double PANEL_GAP = 30;
    private static final double LINE = 1;
    private static final double TICK = 5;
    private static final double GAP = 5;
    private static final double LABEL_GAP = 9;
    private static final double TITLE_GAP = 10;
    private static final double CAPTION_GAP = 20;
    private static final double TITLE_SIZE = 20;
    private static final double LABEL_SIZE = 17;
    private static final double TICK_SIZE = 16;
    private static final double CAPTION_SIZE = 13.5;
    private static final double CAPTION_LEADING = 1.45;

    /** Ticks of a panel are at least this far apart. */
    private static final double TICK_DISTANCE = 34;

    /** Ticks of the bar are at least this far apart, and no more than {@link #BAR_TICKS}. */
    private static final double BAR_TICK_DISTANCE = 24;

    private static final int BAR_TICKS = 6;

    /** A caption shrinks so far, if that saves a line. */
    private static final double SMALLEST_CAPTION_SIZE = 12;

    static Layout of(Figure figure, double scale, TextMeasure measure) {
        return new Composer(figure, scale, measure).compose();
    }

    /** Pixels of a panel that fits a square of {@code side} pixels. */
    static Box panelSize(int rows, int columns, int side) {
        // Square cells, unless the panel would become a strip; then a third of the square's side.
        double width = side * Math.clamp((double) columns / rows, 1.0 / 3, 1);
        double height = side * Math.clamp((double) rows / columns, 1.0 / 3, 1);
        int cell = side / Math.max(rows, columns);
        boolean square = Math.max(rows, columns) <= 3 * Math.min(rows, columns);
        if (square && worth(cell * Math.max(rows, columns), side)) {
            return new Box(0, 0, columns * cell, rows * cell);
        }
        return new Box(0, 0, whole(columns, (int) Math.round(width)), whole(rows, (int) Math.round(height)));
    }

    /** Cells of equally many whole pixels, unless the panel would lose much of its size. */
    private static int whole(int cells, int length) {
        int snapped = length / cells * cells;
        return worth(snapped, length) ? snapped : length;
    }

    private static boolean worth(int snapped, int length) {
        return snapped >= 0.75 * length;
    }

    /** Collects labels and rules while it goes through the figure from left to right. */
    private static final class Composer {
        private final Figure figure;
        private final double scale;
        private final TextMeasure measure;
        private final int line;
        private final List<Box> panels = new ArrayList<>();
        private final List<Label> labels = new ArrayList<>();
        private final List<Box> rules = new ArrayList<>();

        Composer(Figure figure, double scale, TextMeasure measure) {
            this.figure = figure;
            this.scale = scale;
            this.measure = measure;
            this.line = Math.max(1, px(LINE));
        }

        Layout compose() {
            List<Box> sizes = figure.panels().stream()
                    .map(panel -> panelSize(cells(panel.y()).count(), cells(panel.x()).count(), px(PANEL)))
                    .toList();
            int height = sizes.stream().mapToInt(Box::height).max().orElseThrow();
            float title = size(TITLE_SIZE);
            for (int i = 0; i < sizes.size(); i++) {
                title = Math.min(title, fitted(figure.panels().get(i).title(), title, sizes.get(i).width()));
            }
            int top = px(MARGIN) + up(measure.ascent(title) + measure.descent(title)) + px(TITLE_GAP) + line;

            int x = px(MARGIN);
            for (int i = 0; i < sizes.size(); i++) {
                x += i == 0 ? 0 : px(PANEL_GAP);
                x = panel(figure.panels().get(i), sizes.get(i), x, top, title);
            }
            Box bar = new Box(x + px(BAR_GAP) + line, top, px(BAR), height);
            x = bar(bar);

            int width = x + px(MARGIN);
            int bottom = labels.stream().mapToInt(label -> label.box().bottom()).max().orElse(top + height);
            bottom = caption(panels.getFirst().x() - line, bottom, x);
            return new Layout(width, bottom + px(MARGIN), List.copyOf(panels), bar, List.copyOf(labels),
                    List.copyOf(rules));
        }

        /** Everything of a panel whose outermost ink starts at {@code left}; returns where its own ends. */
        private int panel(Panel panel, Box size, int left, int top, float title) {
            float tick = size(TICK_SIZE);
            double longest = measure.width(Integer.toString(cells(panel.x()).count() - 1), tick);
            List<Tick> rows = cells(panel.y()).ticks((int) (size.height() / (scale * TICK_DISTANCE)));
            List<Tick> columns = cells(panel.x()).ticks(
                    (int) (size.width() / Math.max(scale * TICK_DISTANCE, longest + px(LABEL_GAP))));
            double widest = widest(rows, tick);

            float nameSize = fitted(panel.y().label(), size(LABEL_SIZE), size.height());
            int nameX = left + up(measure.ascent(nameSize));
            int numbersRight = nameX + up(measure.descent(nameSize)) + px(LABEL_GAP) + up(widest);
            int x = numbersRight + px(GAP) + px(TICK) + line;
            Box box = new Box(x, top, size.width(), size.height());
            panels.add(box);
            frame(box);

            center(panel.title(), title, x + box.width() / 2.0,
                    top - line - px(TITLE_GAP) - up(measure.descent(title)));
            upward(panel.y().label(), nameSize, nameX, top + box.height() / 2.0);
            for (Tick row : rows) {
                double y = top + (row.value() + 0.5) * box.height() / cells(panel.y()).count();
                rules.add(new Box(x - line - px(TICK), edge(y), px(TICK), line));
                double width = measure.width(row.label(), tick);
                add(row.label(), tick, INK, numbersRight - width, middle(y, tick), false);
            }
            int numbersY = box.bottom() + line + px(TICK) + px(GAP) + up(measure.capHeight(tick));
            for (Tick column : columns) {
                double at = x + (column.value() + 0.5) * box.width() / cells(panel.x()).count();
                rules.add(new Box(edge(at), box.bottom() + line, line, px(TICK)));
                center(column.label(), tick, at, numbersY);
            }
            float xSize = fitted(panel.x().label(), size(LABEL_SIZE), size.width());
            center(panel.x().label(), xSize, x + box.width() / 2.0,
                    numbersY + px(LABEL_GAP) + up(measure.ascent(xSize)));
            return box.right() + line;
        }

        /** The bar's frame, ticks and label; returns where its ink ends. */
        private int bar(Box box) {
            frame(box);
            float tick = size(TICK_SIZE);
            int numbersX = box.right() + line + px(TICK) + px(GAP);
            int most = (int) Math.clamp(box.height() / (scale * BAR_TICK_DISTANCE), 2, BAR_TICKS);
            List<Tick> ticks = figure.bars().getFirst().ticks(most);
            for (Tick number : ticks) {
                double fraction = Math.clamp(figure.bars().getFirst().range().fraction(number.value()), 0, 1);
                double y = box.bottom() - fraction * box.height();
                rules.add(new Box(box.right() + line, edge(y), px(TICK), line));
                add(number.label(), tick, INK, numbersX, middle(y, tick), false);
            }
            float nameSize = fitted(figure.bars().getFirst().label(), size(LABEL_SIZE), box.height());
            int nameX = numbersX + up(widest(ticks, tick)) + px(LABEL_GAP) + up(measure.ascent(nameSize));
            upward(figure.bars().getFirst().label(), nameSize, nameX, box.y() + box.height() / 2.0);
            return nameX + up(measure.descent(nameSize));
        }

        /** The caption's lines between two sides, below {@code top}; returns where its ink ends. */
        private int caption(int left, int top, int right) {
            if (figure.caption().isEmpty()) {
                return top;
            }
            float size = size(CAPTION_SIZE);
            List<String> lines = lines(right - left, size);
            List<String> smaller = lines(right - left, size(SMALLEST_CAPTION_SIZE));
            if (smaller.size() < lines.size()) {
                size = size(SMALLEST_CAPTION_SIZE);
                lines = smaller;
            }
            double y = top + px(CAPTION_GAP) + measure.ascent(size);
            int bottom = top;
            for (String text : lines) {
                add(text, size, PALE_INK, left, Math.round(y), false);
                bottom = labels.getLast().box().bottom();
                y += CAPTION_LEADING * size;
            }
            return bottom;
        }

        private List<String> lines(int length, float size) {
            return Lines.wrap(figure.caption(), length, part -> measure.width(part, size));
        }

        private static Axis.Numbered cells(Axis axis) {
            return (Axis.Numbered) axis;
        }

        private void frame(Box box) {
            int outerWidth = box.width() + 2 * line;
            rules.add(new Box(box.x() - line, box.y() - line, outerWidth, line));
            rules.add(new Box(box.x() - line, box.bottom(), outerWidth, line));
            rules.add(new Box(box.x() - line, box.y(), line, box.height()));
            rules.add(new Box(box.right(), box.y(), line, box.height()));
        }

        private void center(String text, float size, double x, int y) {
            add(text, size, INK, x - measure.width(text, size) / 2, y, false);
        }

        private void upward(String text, float size, int x, double y) {
            add(text, size, INK, x, y + measure.width(text, size) / 2, true);
        }

        private void add(String text, float size, int rgb, double x, double y, boolean upward) {
            labels.add(Label.of(text, size, rgb, x, y, upward, measure));
        }

        private double widest(List<Tick> ticks, float size) {
            return ticks.stream().mapToDouble(tick -> measure.width(tick.label(), size)).max().orElse(0);
        }

        /** The size, or what makes the text no longer than {@code length}. */
        private float fitted(String text, float size, double length) {
            double width = measure.width(text, size);
            return width <= length ? size : (float) (size * length / width);
        }

        /** The baseline of figures whose middle is at y. */
        private long middle(double y, float size) {
            return Math.round(y + measure.capHeight(size) / 2);
        }

        /** The first pixel of a line whose middle is at a place. */
        private int edge(double place) {
            return (int) Math.round(place - line / 2.0);
        }

        private int px(double units) {
            return (int) Math.round(units * scale);
        }

        private float size(double units) {
            return (float) (units * scale);
        }

        private static int up(double pixels) {
            return (int) Math.ceil(pixels);
        }
    }
}
