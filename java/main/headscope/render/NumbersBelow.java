package headscope.render;

/** Tick marks, numbers and, below them, the name of a horizontal axis. */
final class NumbersBelow implements Side {
    private final String name;
    private final Sheet sheet;
    private final AxisTicks ticks;
    private final float size;

    NumbersBelow(String name, Sheet sheet, AxisTicks ticks) {
        this.name = name;
        this.sheet = sheet;
        this.ticks = ticks;
        size = sheet.size(Sheet.TICK_SIZE);
    }

    @Override
    public int extent() {
        int numbers = baseline() + Sheet.up(sheet.measure.descent(size));
        return name.isEmpty() ? numbers : numbers + sheet.px(Sheet.LABEL_GAP)
                + sheet.lineHeight(sheet.size(Sheet.LABEL_SIZE));
    }

    @Override
    public void draw(Box panel) {
        int baseline = panel.bottom() + baseline();
        for (int i = 0; i < ticks.places().length; i++) {
            double x = panel.x() + ticks.places()[i];
            sheet.rules.add(
                    new Box(sheet.edge(x), panel.bottom() + sheet.line, sheet.line, sheet.px(Sheet.TICK)));
            sheet.center(ticks.ticks().get(i).label(), size, x, baseline);
        }
        float nameSize = sheet.fitted(name, sheet.size(Sheet.LABEL_SIZE), panel.width());
        sheet.center(name, nameSize, panel.x() + panel.width() / 2.0,
                baseline + sheet.px(Sheet.LABEL_GAP) + Sheet.up(sheet.measure.ascent(nameSize)));
    }

    /** Of the numbers, from the panel's lower side. */
    private int baseline() {
        return sheet.line + sheet.px(Sheet.TICK) + sheet.px(Sheet.GAP) + Sheet.up(sheet.measure.capHeight(size));
    }
}
