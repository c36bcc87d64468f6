package headscope.render;

import headscope.figure.Axis;
import java.util.List;

/** Brackets along a side of a panel, open towards it, each with the name of its group outside. */
final class Brackets {
    private static final double ARM = 6;
    private static final double SIZE = 15;

    /** So far a name shrinks to the length of its bracket before it is shortened. */
    private static final double SMALLEST_SIZE = 10;

    /** Between the end of a bracket and the edge of its last cell. */
    private static final double INSET = 2.5;

    private final List<Axis.Group> groups;
    private final double cell;
    private final Sheet sheet;

    /** @param length of all cells of the axis, in pixels */
    Brackets(Axis axis, int length, Sheet sheet) {
        this.groups = axis instanceof Axis.Named names ? names.groups() : List.of();
        this.cell = axis instanceof Axis.Named names ? (double) length / names.count() : length;
        this.sheet = sheet;
    }

    /** How far they reach away from where their arms end, in pixels. */
    int extent() {
        return groups.isEmpty() ? 0 : arm() + sheet.px(Sheet.GAP) + sheet.lineHeight(sheet.size(SIZE));
    }

    /** @param right where the arms end */
    void drawLeftOf(int right, int top) {
        int spine = right - arm();
        for (Axis.Group group : groups) {
            int from = top + from(group);
            int to = top + to(group);
            sheet.rules.add(new Box(spine, from, sheet.line, to - from));
            sheet.rules.add(new Box(spine + sheet.line, from, arm() - sheet.line, sheet.line));
            sheet.rules.add(new Box(spine + sheet.line, to - sheet.line, arm() - sheet.line, sheet.line));
            float size = size(group, to - from);
            sheet.upward(sheet.shortened(group.label(), size, to - from), size,
                    spine - sheet.px(Sheet.GAP) - Sheet.up(sheet.measure.descent(size)), (from + to) / 2.0);
        }
    }

    /** @param bottom where the arms end */
    void drawAbove(int bottom, int left) {
        int spine = bottom - arm();
        for (Axis.Group group : groups) {
            int from = left + from(group);
            int to = left + to(group);
            sheet.rules.add(new Box(from, spine, to - from, sheet.line));
            sheet.rules.add(new Box(from, spine + sheet.line, sheet.line, arm() - sheet.line));
            sheet.rules.add(new Box(to - sheet.line, spine + sheet.line, sheet.line, arm() - sheet.line));
            float size = size(group, to - from);
            sheet.center(sheet.shortened(group.label(), size, to - from), size, (from + to) / 2.0,
                    spine - sheet.px(Sheet.GAP) - Sheet.up(sheet.measure.descent(size)));
        }
    }

    private int from(Axis.Group group) {
        return (int) Math.round(group.start() * cell + inset());
    }

    private int to(Axis.Group group) {
        return Math.max(from(group) + sheet.line, (int) Math.round(group.end() * cell - inset()));
    }

    private double inset() {
        return Math.min(INSET * sheet.scale, cell / 6);
    }

    private float size(Axis.Group group, int length) {
        float size = sheet.size(SIZE);
        return Math.max(sheet.size(SMALLEST_SIZE), sheet.fitted(group.label(), size, length));
    }

    private int arm() {
        return sheet.px(ARM);
    }
}
