package headscope.render.layout;

import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.MaxPooling;
import headscope.figure.Panel;
import headscope.figure.Tick;
import headscope.render.Box;
import headscope.render.Stroke;
import headscope.render.TextMeasure;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Adds the parts of a figure to a sheet, row by row and from left to right. */
final class Composer {
    private static final double MARGIN = 18;
    private static final double BAR = 24;
    private static final double BAR_GAP = 46;
    private static final double PANEL_GAP = 30;
    private static final double ROW_GAP = 26;
    private static final double TITLE_GAP = 10;
    private static final double CAPTION_GAP = 20;
    private static final double TITLE_SIZE = 20;

    /** A panel's title shrinks to this size; then it takes several lines. */
    private static final double WRAPPED_TITLE_SIZE = 15;

    /** Several lines shrink to this size; then they are shortened. */
    private static final double MIN_TITLE_SIZE = 12;

    /** Words of titles that are wider than the panel shrink to this size; then they are broken. */
    private static final double MIN_WORD_SIZE = 13.5;

    private static final int TITLE_LINES = 3;
    private static final double HEADING_SIZE = 24;
    private static final double HEADING_GAP = 16;
    private static final double LEADING = 1.3;

    /** Shorter sides of panels are not legible. */
    private static final double MIN_PANEL = 60;

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

    private final Figure figure;
    private final Sheet sheet;
    private final TextMeasure measure;
    private final int line;
    private final float titleSize;
    private final List<Box> sizes;
    private final List<List<String>> titles = new ArrayList<>();
    private final List<Margin> left = new ArrayList<>();
    private final List<Margin> below = new ArrayList<>();
    private final List<Margin> above = new ArrayList<>();
    private final List<Box> panels = new ArrayList<>();

    private Composer(Figure figure, Sheet sheet, Stretch stretch) {
        this.figure = figure;
        this.sheet = sheet;
        this.measure = sheet.measure;
        this.line = sheet.line;
        sizes = PanelSize.of(figure, sheet, stretch);
        float title = sheet.size(TITLE_SIZE);
        for (int i = 0; i < sizes.size(); i++) {
            Panel panel = figure.panels().get(i);
            left.add(Margin.left(panel.y(), sizes.get(i).height(), sheet));
            below.add(Margin.below(panel.x(), sizes.get(i).width(), sheet));
            above.add(Margin.above(panel.x(), sizes.get(i).width(), sheet));
            title = Math.min(title, sheet.fitted(panel.title(), title, sizes.get(i).width()));
        }
        titleSize = titleSize(withWholeWords(Math.max(title, sheet.size(WRAPPED_TITLE_SIZE))));
        for (int i = 0; i < sizes.size(); i++) {
            titles.add(title(figure.panels().get(i).title(), sizes.get(i).width()));
        }
    }

    /** The size, reduced as far as allowed if a word of a title is wider than its panel. */
    private float withWholeWords(float size) {
        float reduced = size;
        for (int i = 0; i < sizes.size(); i++) {
            int width = sizes.get(i).width();
            for (String part : Lines.parts(figure.panels().get(i).title()).toList()) {
                reduced = sheet.fitted(part, reduced, width);
            }
        }
        return Math.max(reduced, Math.min(size, sheet.size(MIN_WORD_SIZE)));
    }

    /** Whether a word of a title is broken that is whole at the figure's natural size. */
    private boolean breaksWords() {
        List<Box> natural = PanelSize.of(figure, sheet, Stretch.NONE);
        for (int i = 0; i < sizes.size(); i++) {
            int width = sizes.get(i).width();
            int naturalWidth = natural.get(i).width();
            if (Lines.parts(figure.panels().get(i).title())
                    .anyMatch(part -> measure.width(part, titleSize) > width * (1 + 1e-6)
                            && measure.width(part, sheet.size(MIN_WORD_SIZE)) <= naturalWidth)) {
                return true;
            }
        }
        return false;
    }

    /** The size, reduced as far as allowed if a title needs too many lines. */
    private float titleSize(float size) {
        float smallest = sheet.size(MIN_TITLE_SIZE);
        float step = sheet.size(0.5);
        float reduced = size;
        for (int i = 0; i < sizes.size(); i++) {
            while (reduced > smallest
                    && wrapped(figure.panels().get(i).title(), sizes.get(i).width(), reduced).size() > TITLE_LINES) {
                reduced = Math.max(smallest, reduced - step);
            }
        }
        return reduced;
    }

    /** The lines of a panel's title. */
    private List<String> title(String text, int width) {
        if (text.isEmpty() || measure.width(text, titleSize) <= width * (1 + 1e-6)) {
            return text.isEmpty() ? List.of() : List.of(text);
        }
        return Lines.wrap(text, width * (1 + 1e-6), TITLE_LINES, part -> measure.width(part, titleSize));
    }

    /** @param scale pixels per unit */
    static Layout compose(Figure figure, double scale, TextMeasure measure, Stretch stretch) {
        Layout plain = new Composer(figure, new Sheet(scale, measure), stretch).compose(0, 0, List.of());
        Composer composer = new Composer(figure, new Sheet(scale, measure), stretch);
        List<String> heading = figure.title().isEmpty()
                ? List.of()
                : composer.wrapped(figure.title(), plain.width() - 2 * composer.sheet.px(MARGIN),
                        composer.sheet.size(HEADING_SIZE));
        int width = plain.width();
        int height = plain.height() + composer.height(heading);
        if (heading.isEmpty() && stretch.width() <= width && stretch.height() <= height) {
            return plain;
        }
        int right = Math.max(0, stretch.width() - width);
        int down = Math.max(0, stretch.height() - height);
        Layout moved = composer.compose(right / 2, down / 2, heading);
        return new Layout(figure, scale, Math.max(width, stretch.width()), Math.max(height, stretch.height()),
                moved.panels(), moved.bars(), moved.labels(), moved.gridLines(), moved.rules(), moved.strokes(),
                moved.legible());
    }

    /** @param heading lines of the figure's title */
    private Layout compose(int x0, int y0, List<String> heading) {
        int[] starts = columns(x0);
        int top = y0 + sheet.px(MARGIN) + height(heading);
        int bottom = top;
        for (int first = 0; first < sizes.size(); first += figure.columns()) {
            int last = Math.min(first + figure.columns(), sizes.size());
            top = (first == 0 ? top : bottom + sheet.px(ROW_GAP)) + titleHeight(first, last);
            for (int i = first; i < last; i++) {
                panels.add(new Box(starts[i - first], top, sizes.get(i).width(), sizes.get(i).height()));
                bottom = Math.max(bottom, panels.get(i).bottom() + below.get(i).extent());
                panel(i);
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
        bottom = sheet.labels.stream().mapToInt(label -> label.box().bottom()).max().orElse(bottom);
        bottom = caption(panels.getFirst().x() - line, bottom, x);
        heading(heading, (x0 + sheet.px(MARGIN) + x) / 2.0, y0 + sheet.px(MARGIN));
        boolean legible = !sheet.cramped && !breaksWords()
                && sizes.stream().allMatch(box -> Math.min(box.width(), box.height()) >= sheet.px(MIN_PANEL));
        return new Layout(figure, sheet.scale, x + sheet.px(MARGIN), bottom + sheet.px(MARGIN), List.copyOf(panels),
                List.copyOf(bars), List.copyOf(sheet.labels), List.copyOf(sheet.gridLines), List.copyOf(sheet.rules),
                List.copyOf(sheet.strokes), legible);
    }

    /** Height of the figure's title and the gap below it. */
    private int height(List<String> heading) {
        return heading.isEmpty() ? 0 : heading.size() * leading(sheet.size(HEADING_SIZE)) + sheet.px(HEADING_GAP);
    }

    private void heading(List<String> lines, double middle, int top) {
        float size = sheet.size(HEADING_SIZE);
        for (int i = 0; i < lines.size(); i++) {
            sheet.center(lines.get(i), size, middle, top + i * leading(size) + Sheet.up(measure.ascent(size)));
        }
    }

    private static int leading(float size) {
        return Sheet.up(LEADING * size);
    }

    /** Left end of the cells in each column of panels. */
    private int[] columns(int x0) {
        int[] starts = new int[Math.min(figure.columns(), sizes.size())];
        int x = x0 + sheet.px(MARGIN);
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
    private int titleHeight(int first, int last) {
        int height = 0;
        for (int i = first; i < last; i++) {
            int lines = titles.get(i).size();
            int title = lines == 0
                    ? 0
                    : Sheet.up(measure.ascent(titleSize) + measure.descent(titleSize)) + sheet.px(TITLE_GAP)
                            + (lines - 1) * leading(titleSize);
            height = Math.max(height, title + above.get(i).extent());
        }
        return height;
    }

    private void panel(int i) {
        Box box = panels.get(i);
        sheet.frame(box);
        List<String> lines = titles.get(i);
        int baseline = box.y() - above.get(i).extent() - sheet.px(TITLE_GAP) - Sheet.up(measure.descent(titleSize));
        for (int below = lines.size() - 1; below >= 0; below--) {
            sheet.center(lines.get(lines.size() - 1 - below), titleSize, box.x() + box.width() / 2.0,
                    baseline - below * leading(titleSize));
        }
        above.get(i).draw(box);
        left.get(i).draw(box);
        this.below.get(i).draw(box);
        PointLabels.add(figure.panels().get(i), box, sheet);
    }

    /** The lines of the figure with their labels, one below the other; returns their right end. Panels may share a line. */
    private int key(int x) {
        List<Mark.Line> lines = figure.panels().stream()
                .flatMap(panel -> panel.marks().stream())
                .filter(Mark.Line.class::isInstance)
                .map(Mark.Line.class::cast)
                .distinct()
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
        float nameSize = sheet.nameSize(bar.label(), box.height());
        int nameX = numbersRight + sheet.px(Sheet.LABEL_GAP) + Sheet.up(measure.ascent(nameSize));
        sheet.upward(sheet.name(bar.label(), nameSize, box.height()), nameSize, nameX, box.y() + box.height() / 2.0);
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
        String caption = (figure.caption() + " " + note()).strip();
        if (caption.isEmpty()) {
            return top;
        }
        float size = sheet.size(CAPTION_SIZE);
        List<String> lines = wrapped(caption, right - left, size);
        List<String> smaller = wrapped(caption, right - left, sheet.size(MIN_CAPTION_SIZE));
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

    /** How many tokens a cell has, if token maps are pooled. */
    private String note() {
        return IntStream.range(0, panels.size()).boxed()
                .flatMap(i -> figure.panels().get(i).tokenMaps()
                        .map(map -> Cells.pooling(panels.get(i), figure.panels().get(i), map, sheet.scale)))
                .filter(MaxPooling::reduces)
                .map(MaxPooling::note)
                .distinct()
                .collect(Collectors.joining(" "));
    }

    private List<String> wrapped(String text, int length, float size) {
        return Lines.wrap(text, length, part -> measure.width(part, size));
    }
}
