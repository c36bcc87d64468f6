package headscope.render;

import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Tick;
import java.util.ArrayList;
import java.util.List;

/**
 * The positions of all parts of a figure, in pixels. Boxes have whole pixels.
 *
 * @param panels    the cells of each panel, without its frame
 * @param bars      the colours of each colour bar, without its frame
 * @param gridLines filled boxes behind the marks of the panels
 * @param rules     frames, tick marks and brackets, as filled boxes
 * @param strokes   the pointer from a cell to its enlargement, and the lines of the key
 */
record Layout(int width, int height, List<Box> panels, List<Box> bars, List<Label> labels, List<Box> gridLines,
        List<Box> rules, List<Stroke> strokes) {
    /** Units of a layout per inch. The constants below are in units; the scale converts them into pixels. */
    static final int UNITS_PER_INCH = 96;

    private static final double MARGIN = 18;
    private static final double BAR = 24;
    private static final double BAR_GAP = 46;
    private static final double PANEL_GAP = 30;
    private static final double ROW_GAP = 26;
    private static final double TITLE_GAP = 10;
    private static final double CAPTION_GAP = 20;
    private static final double TITLE_SIZE = 20;
    private static final double CAPTION_SIZE = 13.5;
    private static final double CAPTION_LEADING = 1.45;

    /** Maximum length of a colour bar, which is centred next to taller figures. */
    private static final double MAX_BAR = 720;

    /** Minimum distance between the ticks of a colour bar. */
    private static final double BAR_TICK_DISTANCE = 24;

    /** Maximum number of ticks of a colour bar next to one row of panels. */
    private static final int BAR_TICKS = 6;

    /** Maximum number of ticks of a colour bar next to several rows of panels. */
    private static final int TALL_BAR_TICKS = 9;

    /** A caption shrinks to this size if that saves a line. */
    private static final double MIN_CAPTION_SIZE = 12;

    /** Distance between a grid and the enlargement of one of its cells, for the pointer. */
    private static final double ENLARGED_GAP = 70;

    private static final double POINTER_GAP = 6;
    private static final double POINTER = 2;
    private static final double POINTER_EDGE = 4;
    private static final int POINTER_INK = 0xFFC400;
    private static final int EDGE_INK = 0x202020;

    private static final double KEY_GAP = 24;
    private static final double KEY_LINE = 26;
    private static final double KEY_LEADING = 1.6;

    static Layout of(Figure figure, double scale, TextMeasure measure) {
        return new Composer(figure, new Sheet(scale, measure)).compose();
    }

    /** Adds the parts of the figure to a sheet, row by row and from left to right. */
    private static final class Composer {
        private final Figure figure;
        private final Sheet sheet;
        private final TextMeasure measure;
        private final int line;
        private final List<Box> sizes;
        private final List<Margin> left = new ArrayList<>();
        private final List<Margin> below = new ArrayList<>();
        private final List<Margin> above = new ArrayList<>();
        private final List<Box> panels = new ArrayList<>();

        Composer(Figure figure, Sheet sheet) {
            this.figure = figure;
            this.sheet = sheet;
            this.measure = sheet.measure;
            this.line = sheet.line;
            sizes = PanelSize.of(figure, sheet);
            for (int i = 0; i < sizes.size(); i++) {
                Panel panel = figure.panels().get(i);
                left.add(Margin.left(panel.y(), sizes.get(i).height(), sheet));
                below.add(Margin.below(panel.x(), sizes.get(i).width(), sheet));
                above.add(Margin.above(panel.x(), sizes.get(i).width(), sheet));
            }
        }

        Layout compose() {
            float title = sheet.size(TITLE_SIZE);
            for (int i = 0; i < sizes.size(); i++) {
                title = Math.min(title, sheet.fitted(figure.panels().get(i).title(), title, sizes.get(i).width()));
            }
            int[] starts = columns();
            int top = sheet.px(MARGIN);
            int bottom = top;
            for (int first = 0; first < sizes.size(); first += figure.columns()) {
                int last = Math.min(first + figure.columns(), sizes.size());
                top = (first == 0 ? top : bottom + sheet.px(ROW_GAP)) + heading(first, last, title);
                for (int i = first; i < last; i++) {
                    panels.add(new Box(starts[i - first], top, sizes.get(i).width(), sizes.get(i).height()));
                    bottom = Math.max(bottom, panels.get(i).bottom() + below.get(i).extent());
                    panel(i, title);
                }
            }
            int x = panels.stream().mapToInt(box -> box.right() + line).max().orElseThrow();
            x = key(x);
            List<Box> bars = new ArrayList<>();
            for (ColorBar bar : figure.bars()) {
                bars.add(barBox(x));
                x = bar(bar, bars.getLast());
            }
            point();
            int width = x + sheet.px(MARGIN);
            bottom = sheet.labels.stream().mapToInt(label -> label.box().bottom()).max().orElse(bottom);
            bottom = caption(panels.getFirst().x() - line, bottom, x);
            return new Layout(width, bottom + sheet.px(MARGIN), List.copyOf(panels), List.copyOf(bars),
                    List.copyOf(sheet.labels), List.copyOf(sheet.gridLines), List.copyOf(sheet.rules),
                    List.copyOf(sheet.strokes));
        }

        /** Left end of the cells in each column of panels. */
        private int[] columns() {
            int[] starts = new int[Math.min(figure.columns(), sizes.size())];
            int x = sheet.px(MARGIN);
            for (int column = 0; column < starts.length; column++) {
                int margin = 0;
                int widest = 0;
                for (int i = column; i < sizes.size(); i += figure.columns()) {
                    margin = Math.max(margin, left.get(i).extent());
                    widest = Math.max(widest, sizes.get(i).width());
                }
                starts[column] = x + margin;
                x = starts[column] + widest + line
                        + sheet.px(figure.enlarged().isPresent() ? ENLARGED_GAP : PANEL_GAP);
            }
            return starts;
        }

        /** Height of the titles and brackets above a row of panels. */
        private int heading(int first, int last, float title) {
            int height = 0;
            for (int i = first; i < last; i++) {
                int titleHeight = figure.panels().get(i).title().isEmpty()
                        ? 0
                        : Sheet.up(measure.ascent(title) + measure.descent(title)) + sheet.px(TITLE_GAP);
                height = Math.max(height, titleHeight + above.get(i).extent());
            }
            return height;
        }

        private void panel(int i, float title) {
            Panel panel = figure.panels().get(i);
            Box box = panels.get(i);
            sheet.frame(box);
            sheet.center(panel.title(), title, box.x() + box.width() / 2.0, box.y() - above.get(i).extent()
                    - sheet.px(TITLE_GAP) - Sheet.up(measure.descent(title)));
            above.get(i).draw(box);
            left.get(i).draw(box);
            below.get(i).draw(box);
        }

        /** The lines of the figure with their labels, one below the other; returns their right end. */
        private int key(int x) {
            List<Mark.Line> lines = figure.panels().stream()
                    .flatMap(panel -> panel.marks().stream())
                    .filter(Mark.Line.class::isInstance)
                    .map(Mark.Line.class::cast)
                    .toList();
            float size = sheet.size(Sheet.TICK_SIZE);
            int lineX = x + sheet.px(KEY_GAP);
            int textX = lineX + sheet.px(KEY_LINE) + sheet.px(Sheet.LABEL_GAP);
            double y = panels.getFirst().y() + size;
            int right = x;
            for (Mark.Line mark : lines) {
                sheet.strokes.addAll(LineStrokes.sample(mark, lineX, lineX + sheet.px(KEY_LINE), y, sheet.scale));
                sheet.add(mark.label(), size, Sheet.INK, textX, sheet.middle(y, size), false);
                right = Math.max(right, textX + Sheet.up(measure.width(mark.label(), size)));
                y += KEY_LEADING * size;
            }
            return right;
        }

        private Box barBox(int x) {
            int top = panels.getFirst().y();
            int height = panels.stream().mapToInt(Box::bottom).max().orElseThrow() - top;
            int length = Math.min(height, sheet.px(MAX_BAR));
            return new Box(x + sheet.px(BAR_GAP) + line, top + (height - length) / 2, sheet.px(BAR), length);
        }

        /** The bar's frame, ticks and label; returns their right end. */
        private int bar(ColorBar bar, Box box) {
            sheet.frame(box);
            float tick = sheet.size(Sheet.TICK_SIZE);
            int numbersX = box.right() + line + sheet.px(Sheet.TICK) + sheet.px(Sheet.GAP);
            int limit = figure.panels().size() > figure.columns() ? TALL_BAR_TICKS : BAR_TICKS;
            List<Tick> ticks =
                    bar.ticks((int) Math.clamp(box.height() / (sheet.scale * BAR_TICK_DISTANCE), 2, limit));
            for (Tick number : ticks) {
                double fraction = Math.clamp(bar.range().fraction(number.value()), 0, 1);
                double y = box.bottom() - fraction * box.height();
                sheet.rules.add(new Box(box.right() + line, sheet.edge(y), sheet.px(Sheet.TICK), line));
                sheet.add(number.label(), tick, Sheet.INK, numbersX, sheet.middle(y, tick), false);
            }
            int numbersRight = numbersX + Sheet.up(sheet.widest(ticks.stream().map(Tick::label).toList(), tick));
            if (bar.label().isEmpty()) {
                return numbersRight;
            }
            float nameSize = sheet.fitted(bar.label(), sheet.size(Sheet.LABEL_SIZE), box.height());
            int nameX = numbersRight + sheet.px(Sheet.LABEL_GAP) + Sheet.up(measure.ascent(nameSize));
            sheet.upward(bar.label(), nameSize, nameX, box.y() + box.height() / 2.0);
            return nameX + Sheet.up(measure.descent(nameSize));
        }

        /**
         * Outlines the enlarged cell and connects its right corners with the left corners of the enlarged map. Each
         * connection runs straight to the left end of the map's names and brackets, then level above or below them.
         */
        private void point() {
            figure.enlarged().ifPresent(cell -> {
                Box grid = panels.getFirst();
                Box enlarged = panels.getLast();
                Box box = Cells.box(grid, figure.panels().getFirst(), cell);
                double half = line / 2.0;
                double right = box.right() + half;
                double left = box.x() - half;
                double top = box.y() - half;
                double bottom = box.bottom() + half;
                double[] cornerX = {left, right, right, left, left};
                double[] cornerY = {top, top, bottom, bottom, top};
                double turn = enlarged.x() - this.left.getLast().extent() - sheet.px(POINTER_GAP);
                double upper = enlarged.y() - POINTER * sheet.scale / 2;
                double lower = enlarged.bottom() + POINTER * sheet.scale / 2;
                outline(cornerX, cornerY, POINTER_EDGE, EDGE_INK);
                stroke(right, top, turn, upper);
                stroke(turn, upper, enlarged.x() - half, upper);
                stroke(right, bottom, turn, lower);
                stroke(turn, lower, enlarged.x() - half, lower);
                outline(cornerX, cornerY, POINTER, POINTER_INK);
            });
        }

        private void outline(double[] x, double[] y, double width, int rgb) {
            for (int i = 1; i < x.length; i++) {
                sheet.strokes.add(new Stroke(x[i - 1], y[i - 1], x[i], y[i], width * sheet.scale, rgb));
            }
        }

        private void stroke(double x0, double y0, double x1, double y1) {
            sheet.strokes.add(new Stroke(x0, y0, x1, y1, POINTER * sheet.scale, POINTER_INK));
        }

        /** The caption's lines from {@code left} to {@code right}, below {@code top}; returns their lower end. */
        private int caption(int left, int top, int right) {
            if (figure.caption().isEmpty()) {
                return top;
            }
            float size = sheet.size(CAPTION_SIZE);
            List<String> lines = lines(right - left, size);
            List<String> smaller = lines(right - left, sheet.size(MIN_CAPTION_SIZE));
            if (smaller.size() < lines.size()) {
                size = sheet.size(MIN_CAPTION_SIZE);
                lines = smaller;
            }
            double y = top + sheet.px(CAPTION_GAP) + measure.ascent(size);
            int bottom = top;
            for (String text : lines) {
                sheet.add(text, size, Sheet.PALE_INK, left, Math.round(y), false);
                bottom = sheet.labels.getLast().box().bottom();
                y += CAPTION_LEADING * size;
            }
            return bottom;
        }

        private List<String> lines(int length, float size) {
            return Lines.wrap(figure.caption(), length, part -> measure.width(part, size));
        }
    }
}
