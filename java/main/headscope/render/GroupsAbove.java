package headscope.render;

import headscope.figure.Axis;

/** Brackets around groups of cells, above a panel; where there are none, the frame alone. */
final class GroupsAbove implements Side {
    private final Sheet sheet;
    private final Brackets brackets;

    GroupsAbove(Axis axis, int length, Sheet sheet) {
        this.sheet = sheet;
        brackets = new Brackets(axis, length, sheet);
    }

    @Override
    public int extent() {
        return sheet.line + (brackets.extent() == 0 ? 0 : sheet.px(Sheet.GAP) + brackets.extent());
    }

    @Override
    public void draw(Box panel) {
        brackets.drawAbove(panel.y() - sheet.line - sheet.px(Sheet.GAP), panel.x());
    }
}
