package headscope.figure;

import java.util.List;

/**
 * The colour scale of one or more heat maps.
 *
 * @param label    quantity or unit; may be empty
 * @param range    the values at the lower and the upper end of the bar
 * @param decimals minimum number of decimals of the tick labels
 * @param open     whether values above the range are allowed; they have the top colour, and the last tick label a plus
 */
public record ColorBar(String label, Range range, Colormap colormap, int decimals, boolean open) {
    public ColorBar {
        label = Visible.text(label);
    }

    /** A bar for values that all lie within the range. */
    public ColorBar(String label, Range range, Colormap colormap) {
        this(label, range, colormap, 0, false);
    }

    /** At most {@code limit} round numbers within the range, at least two; on an open bar the last is its top. */
    public List<Tick> ticks(int limit) {
        return open ? Tick.upTo(range, limit, decimals) : Tick.ofNumbers(range, limit, decimals);
    }

    ColorBar withColors(Colormap other) {
        return new ColorBar(label, range, other, decimals, open);
    }

    /** Whether the range extends on both sides of 0. */
    boolean isSigned() {
        return range.min() < 0 && range.max() > 0;
    }

    /** Whether the bar has a colour for the value. */
    boolean shows(double value) {
        return range.contains(value) || open && value > range.max() && Double.isFinite(value);
    }
}
