package headscope.render;

/** Tick marks, numbers and, upwards beside them, the name of a vertical axis. */
final class LeftNumbers implements Side {
    private final String name;
    private final Sheet sheet;
    private final AxisTicks ticks;
    private final boolean gridded;
    private final float size;
    private final float nameSize;
    private final int widest;

    /** @param gridded whether pale lines cross the panel at the numbers */
    LeftNumbers(String name, int length, Sheet sheet, AxisTicks ticks, boolean gridded) {
        this.name = name;
        this.gridded = gridded;
        this.sheet = sheet;
        this.ticks = ticks;
        size = sheet.size(Sheet.TICK_SIZE);
        nameSize = sheet.fitted(name, sheet.size(Sheet.LABEL_SIZE), length);
        widest = Sheet.up(sheet.widest(ticks.ticks(), size));
    }

    @Override
    public int extent() {
        int numbers = sheet.line + sheet.px(Sheet.TICK) + sheet.px(Sheet.GAP) + widest;
        return name.isEmpty() ? numbers : numbers + sheet.px(Sheet.LABEL_GAP)
                + Sheet.up(sheet.measure.descent(nameSize)) + Sheet.up(sheet.measure.ascent(nameSize));
    }

    @Override
    public void draw(Box panel) {
        int right = panel.x() - sheet.line - sheet.px(Sheet.TICK) - sheet.px(Sheet.GAP);
        int nameX = right - widest - sheet.px(Sheet.LABEL_GAP) - Sheet.up(sheet.measure.descent(nameSize));
        sheet.upward(name, nameSize, nameX, panel.y() + panel.height() / 2.0);
        for (int i = 0; i < ticks.places().length; i++) {
            double y = panel.y() + ticks.places()[i];
            String label = ticks.ticks().get(i).label();
            sheet.rules.add(new Box(
                    panel.x() - sheet.line - sheet.px(Sheet.TICK), sheet.edge(y), sheet.px(Sheet.TICK), sheet.line));
            if (gridded && ticks.places()[i] > 1 && ticks.places()[i] < panel.height() - 1) {
                sheet.gridLines.add(new Box(panel.x(), sheet.edge(y), panel.width(), sheet.line));
            }
            sheet.add(label, size, Sheet.INK, right - sheet.measure.width(label, size), sheet.middle(y, size), false);
        }
    }
}
