package headscope.render.layout;
import headscope.figure.Axis;
import headscope.render.Box;
import java.util.Optional;

/**
 * The margin on one side of a panel. From the inside to the outside: frame, labels of the axis, brackets around groups
 * of cells, name of the axis.
 *
 * @param length of the side, in pixels
 * @param name   may be empty
 */
record Margin(Side side, int length, AxisLabels labels, Optional<Brackets> brackets, String name, Sheet sheet) {
    static Margin left(Axis axis, int length, Sheet sheet) {
        Optional<Brackets> brackets = axis instanceof Axis.Named names
                ? Optional.of(new Brackets(names, length, sheet))
                : Optional.empty();
        return new Margin(
                Side.LEFT, length, AxisLabels.of(axis, Side.LEFT, length, sheet), brackets, axis.label(), sheet);
    }

    static Margin below(Axis axis, int length, Sheet sheet) {
        return new Margin(Side.BELOW, length, AxisLabels.of(axis, Side.BELOW, length, sheet), Optional.empty(),
                axis.label(), sheet);
    }

    /** The brackets of a horizontal axis, whose labels and name are below the panel. */
    static Margin above(Axis axis, int length, Sheet sheet) {
        Optional<Brackets> brackets = axis instanceof Axis.Named names && !names.groups().isEmpty()
                ? Optional.of(new Brackets(names, length, sheet))
                : Optional.empty();
        return new Margin(Side.ABOVE, length, AxisLabels.NONE, brackets, "", sheet);
    }

    /** Depth of the margin, in pixels. */
    int extent() {
        int depth = nameDistance() + labels.slack(side, sheet);
        return name.isEmpty() ? depth : depth + sheet.px(Sheet.LABEL_GAP)
                + Sheet.up(sheet.measure.descent(nameSize())) + Sheet.up(sheet.measure.ascent(nameSize()));
    }

    void draw(Box panel) {
        Edge edge = new Edge(side, panel, sheet);
        edge.parallel(sheet.name(name, nameSize(), length), nameSize(), edge.start() + length / 2.0, nameDistance() + sheet.px(Sheet.LABEL_GAP));
        brackets.ifPresent(all -> all.draw(edge, bracketDistance()));
        labels.draw(edge);
    }

    private float nameSize() {
        return sheet.nameSize(name, length);
    }

    private int bracketDistance() {
        return labels.extent(side, sheet) + sheet.px(Sheet.GAP);
    }

    private int nameDistance() {
        return brackets.map(all -> bracketDistance() + all.extent()).orElse(labels.extent(side, sheet));
    }
}
