package headscope.render;

import headscope.figure.Axis;

/** Names of cells, which run upwards to their cells, and below them the name of a horizontal axis. */
final class NamesBelow implements Side {
    private final String name;
    private final int length;
    private final int count;
    private final Sheet sheet;
    private final CellNames names;
    private final float nameSize;

    NamesBelow(Axis.Named axis, int length, Sheet sheet) {
        name = axis.label();
        this.length = length;
        count = axis.count();
        this.sheet = sheet;
        names = CellNames.of(axis.names(), length, sheet);
        nameSize = sheet.fitted(name, sheet.size(Sheet.LABEL_SIZE), length);
    }

    @Override
    public int extent() {
        int inner = nameDistance();
        return name.isEmpty() ? inner : inner + sheet.px(Sheet.LABEL_GAP) + sheet.lineHeight(nameSize);
    }

    @Override
    public void draw(Box panel) {
        for (int i = 0; i < names.cells().size(); i++) {
            double x = panel.x() + (names.cells().get(i) + 0.5) * length / count;
            String text = names.texts().get(i);
            double end = panel.bottom() + names.distance(sheet);
            sheet.add(text, names.size(), Sheet.INK, sheet.middleOfWords(x, names.size()),
                    end + sheet.measure.width(text, names.size()), true);
            if (!names.all()) {
                sheet.rules.add(new Box(
                        sheet.edge(x), panel.bottom() + sheet.line, sheet.line, sheet.px(Sheet.TICK)));
            }
        }
        sheet.center(name, nameSize, panel.x() + length / 2.0, panel.bottom() + nameDistance()
                + sheet.px(Sheet.LABEL_GAP) + Sheet.up(sheet.measure.ascent(nameSize)));
    }

    private int nameDistance() {
        return names.distance(sheet) + Sheet.up(names.longest(sheet));
    }
}
