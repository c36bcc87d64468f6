package headscope.render;

import headscope.figure.Axis;

/** Names of cells, brackets around groups of them, and upwards beside those the name of a vertical axis. */
final class LeftNames implements Side {
    private final String name;
    private final int length;
    private final int count;
    private final Sheet sheet;
    private final CellNames names;
    private final Brackets brackets;
    private final float nameSize;

    LeftNames(Axis.Named axis, int length, Sheet sheet) {
        name = axis.label();
        this.length = length;
        count = axis.count();
        this.sheet = sheet;
        names = CellNames.of(axis.names(), length, sheet);
        brackets = new Brackets(axis, length, sheet);
        nameSize = sheet.fitted(name, sheet.size(Sheet.LABEL_SIZE), length);
    }

    @Override
    public int extent() {
        int inner = bracketDistance() + brackets.extent();
        return name.isEmpty() ? inner : inner + sheet.px(Sheet.LABEL_GAP) + sheet.lineHeight(nameSize);
    }

    @Override
    public void draw(Box panel) {
        int nameX = panel.x() - bracketDistance() - brackets.extent() - sheet.px(Sheet.LABEL_GAP)
                - Sheet.up(sheet.measure.descent(nameSize));
        sheet.upward(name, nameSize, nameX, panel.y() + length / 2.0);
        brackets.drawLeftOf(panel.x() - bracketDistance(), panel.y());
        for (int i = 0; i < names.cells().size(); i++) {
            double y = panel.y() + (names.cells().get(i) + 0.5) * length / count;
            String text = names.texts().get(i);
            double x = panel.x() - names.distance(sheet) - sheet.measure.width(text, names.size());
            sheet.add(text, names.size(), Sheet.INK, x, sheet.middleOfWords(y, names.size()), false);
            if (!names.all()) {
                sheet.rules.add(new Box(panel.x() - sheet.line - sheet.px(Sheet.TICK), sheet.edge(y),
                        sheet.px(Sheet.TICK), sheet.line));
            }
        }
    }

    private int bracketDistance() {
        return names.distance(sheet) + Sheet.up(names.longest(sheet)) + sheet.px(Sheet.GAP);
    }
}
