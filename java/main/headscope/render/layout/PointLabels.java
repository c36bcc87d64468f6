package headscope.render.layout;

import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.Stroke;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Labels beside the points of a panel, one after the other: each takes the nearest place where it covers neither dots,
 * lines nor earlier labels. A stroke joins a label to its point if it is not next to it.
 */
final class PointLabels {
    private static final double SIZE = 13;
    private static final double LEADER = 1;

    /** Distance between a dot and its label, and between labels, in units. */
    private static final double GAP = 6;

    /** Labels that are farther from their dots than this have a stroke, in units. */
    private static final double NEAR = 10;

    private static final double STEP = 6;
    private static final int STEPS = 40;
    private static final int DIRECTIONS = 24;

    private record Point(String label, Stroke dot) {}

    private final Sheet sheet;
    private final Box panel;
    private final List<Stroke> lines;
    private final List<Point> points;

    /** What has been placed. */
    private final List<Label> labels = new ArrayList<>();
    private final List<Stroke> leaders = new ArrayList<>();

    private PointLabels(Sheet sheet, Box panel, List<Stroke> lines, List<Point> points) {
        this.sheet = sheet;
        this.panel = panel;
        this.lines = lines;
        this.points = points;
    }

    /** Labels the points in the first of several orders in which all labels have a place. */
    static void add(Panel panel, Box box, Sheet sheet) {
        List<Stroke> lines = new ArrayList<>();
        List<Point> points = new ArrayList<>();
        for (Mark mark : panel.marks()) {
            switch (mark) {
                case Mark.Line line -> lines.addAll(LineStrokes.of(line, panel, box, sheet.scale));
                case Mark.Points some -> {
                    List<Stroke> dots = LineStrokes.of(some, panel, box, sheet.scale);
                    for (int i = 0; i < dots.size(); i++) {
                        points.add(new Point(some.labels().get(i), dots.get(i)));
                    }
                }
                default -> { }
            }
        }
        List<List<Point>> orders = List.of(points, points.reversed(), sorted(points, Comparator.comparingDouble(Stroke::y0)),
                sorted(points, Comparator.comparingDouble(Stroke::x0).reversed()), sorted(points, Comparator.comparingDouble(Stroke::x0)));
        PointLabels best = orders.stream().map(order -> new PointLabels(sheet, box, lines, points).place(order))
                .filter(PointLabels::isComplete).findFirst()
                .orElseGet(() -> new PointLabels(sheet, box, lines, points).place(points));
        sheet.cramped |= !best.isComplete();
        sheet.labels.addAll(best.labels);
        sheet.strokes.addAll(best.leaders);
    }

    private static List<Point> sorted(List<Point> points, Comparator<Stroke> order) {
        return points.stream().sorted(Comparator.comparing(Point::dot, order)).toList();
    }

    private boolean isComplete() {
        return labels.size() == points.size();
    }

    private PointLabels place(List<Point> order) {
        order.forEach(this::place);
        return this;
    }

    private void place(Point point) {
        Stroke dot = point.dot();
        float size = sheet.size(SIZE);
        double width = sheet.measure.width(point.label(), size);
        double ascent = sheet.measure.ascent(size);
        double height = ascent + sheet.measure.descent(size);
        for (int step = 0; step < STEPS; step++) {
            double reach = dot.width() / 2 + (GAP + step * STEP) * sheet.scale;
            for (int direction = 0; direction < DIRECTIONS; direction++) {
                double angle = 2 * Math.PI * direction / DIRECTIONS;
                double x = dot.x0() + Math.cos(angle) * (reach + width / 2) - width / 2;
                double y = dot.y0() + Math.sin(angle) * (reach + height / 2) - height / 2;
                Label label = Label.of(point.label(), size, Sheet.INK, Math.round(x), Math.round(y + ascent), false, sheet.measure);
                Optional<Stroke> leader = leader(dot, label.box());
                if (isFree(label.box(), dot) && leader.stream().allMatch(stroke -> isFree(stroke, dot))) {
                    labels.add(label);
                    leader.ifPresent(leaders::add);
                    return;
                }
            }
        }
    }

    /** From the dot's edge to the nearest point of the label, without touching it; empty if that is near. */
    private Optional<Stroke> leader(Stroke dot, Box label) {
        double x = Math.clamp(dot.x0(), label.x(), label.right()) - dot.x0();
        double y = Math.clamp(dot.y0(), label.y(), label.bottom()) - dot.y0();
        double distance = Math.hypot(x, y);
        double start = dot.width() / 2;
        double end = distance - 2 * LEADER * sheet.scale - 1;
        return distance - start <= NEAR * sheet.scale
                ? Optional.empty()
                : Optional.of(new Stroke(dot.x0() + x * start / distance, dot.y0() + y * start / distance,
                        dot.x0() + x * end / distance, dot.y0() + y * end / distance, LEADER * sheet.scale, Sheet.PALE_INK));
    }

    private boolean isFree(Box label, Stroke own) {
        Box apart = apart(label);
        return panel.contains(apart) && labels.stream().map(Label::box).noneMatch(apart::overlaps)
                && leaders.stream().noneMatch(leader -> leader.crosses(apart))
                && lines.stream().noneMatch(line -> line.crosses(label))
                && points.stream().map(Point::dot).noneMatch(dot -> dot.crosses(dot.equals(own) ? label : apart));
    }

    /** The label with half the distance to other parts around it. */
    private Box apart(Box label) {
        int margin = Math.max(1, (int) Math.round(GAP * sheet.scale / 2));
        return new Box(label.x() - margin, label.y() - margin / 2, label.width() + 2 * margin, label.height() + margin);
    }

    /** Whether a stroke from a dot to its label meets no label, no other such stroke and no dot that is apart from its own. */
    private boolean isFree(Stroke leader, Stroke own) {
        return labels.stream().map(label -> apart(label.box())).noneMatch(leader::crosses)
                && leaders.stream().noneMatch(other -> intersect(leader, other))
                && points.stream().map(point -> around(point.dot()))
                        .noneMatch(dot -> !dot.overlaps(around(own)) && leader.crosses(dot));
    }

    private static Box around(Stroke dot) {
        int x = (int) Math.floor(dot.x0() - dot.width() / 2);
        int y = (int) Math.floor(dot.y0() - dot.width() / 2);
        return new Box(x, y, Sheet.up(dot.width()) + 1, Sheet.up(dot.width()) + 1);
    }

    private static boolean intersect(Stroke a, Stroke b) {
        return side(a, b.x0(), b.y0()) * side(a, b.x1(), b.y1()) <= 0
                && side(b, a.x0(), a.y0()) * side(b, a.x1(), a.y1()) <= 0;
    }

    /** Positive on one side of the stroke's line, negative on the other. */
    private static double side(Stroke line, double x, double y) {
        return (line.x1() - line.x0()) * (y - line.y0()) - (line.y1() - line.y0()) * (x - line.x0());
    }
}
