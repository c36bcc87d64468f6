package headscope.render;

import headscope.figure.Axis;

/** What stands along one side of a panel. */
interface Side {
    /** How far it reaches away from the panel's cells, in pixels. */
    int extent();

    void draw(Box panel);

    /** @param length of the side, in pixels */
    static Side left(Axis axis, int length, Sheet sheet) {
        return switch (axis) {
            case Axis.Named names -> new LeftNames(names, length, sheet);
            case Axis.Numbered cells ->
                    new LeftNumbers(cells.label(), length, sheet, AxisTicks.down(cells, length, sheet), false);
            case Axis.Numbers numbers ->
                    new LeftNumbers(numbers.label(), length, sheet, AxisTicks.up(numbers, length, sheet), true);
        };
    }

    /** @param length of the side, in pixels */
    static Side below(Axis axis, int length, Sheet sheet) {
        return switch (axis) {
            case Axis.Named names -> new NamesBelow(names, length, sheet);
            case Axis.Numbered cells -> new NumbersBelow(cells.label(), sheet, AxisTicks.across(cells, length, sheet));
            case Axis.Numbers numbers ->
                    new NumbersBelow(numbers.label(), sheet, AxisTicks.across(numbers, length, sheet));
        };
    }
}
