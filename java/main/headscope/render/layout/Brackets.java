package headscope.render.layout;

import headscope.figure.Axis;
import java.util.List;

/** Brackets along an edge of a panel, one per group of cells and open towards the panel, with the groups' names. */
final class Brackets {
    private static final double ARM = 6;
    private static final double SIZE = 15;

    /** A name shrinks to fit its bracket down to this size, and is shortened below it. */
    private static final double MIN_SIZE = 10;

    /** Distance between the end of a bracket and the edge of its last cell. */
    private static final double INSET = 2.5;

    private final List<Axis.Group> groups;
    private final double cell;
    private final Sheet sheet;

    /** @param length of all cells of the axis, in pixels */
    Brackets(Axis.Named axis, int length, Sheet sheet) {
        this.groups = axis.groups();
        this.cell = (double) length / axis.count();
        this.sheet = sheet;
    }

    /** Depth of brackets and names, in pixels; 0 without groups. */
    int extent() {
        return groups.isEmpty() ? 0 : arm() + sheet.px(Sheet.GAP) + sheet.lineHeight(sheet.size(SIZE));
    }

    /** @param away distance of the arms' ends from the panel's cells */
    void draw(Edge edge, int away) {
        int arm = arm();
        int line = sheet.line;
        for (Axis.Group group : groups) {
            int from = edge.start() + from(group);
            int to = edge.start() + to(group);
            edge.rule(from, away + arm - line, to - from, line);
            edge.rule(from, away, line, arm - line);
            edge.rule(to - line, away, line, arm - line);
            float size = size(group, to - from);
            edge.parallel(sheet.shortened(group.label(), size, to - from), size, (from + to) / 2.0,
                    away + arm + sheet.px(Sheet.GAP));
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
        return Math.max(sheet.size(MIN_SIZE), sheet.fitted(group.label(), sheet.size(SIZE), length));
    }

    private int arm() {
        return sheet.px(ARM);
    }
}
