package headscope.figure;

import java.util.List;

/**
 * The scale of one or more heat maps.
 *
 * @param label    what the numbers are; may be empty
 * @param range    the numbers at the bar's foot and at its top
 * @param decimals the ticks have at least so many
 * @param open     whether values beyond the top are shown, in the top colour; the bar says so with a plus
 */
public record ColorBar(String label, Range range, Colormap colormap, int decimals, boolean open) {
    /** A bar that ends where the values do. */
    public ColorBar(String label, Range range, Colormap colormap) {
        this(label, range, colormap, 0, false);
    }

    /** Round numbers within the range, at most {@code most} of them, but at least two; on an open bar also its top. */
    public List<Tick> ticks(int most) {
        return open ? Tick.upTo(range, most, decimals) : Tick.ofNumbers(range, most, decimals);
    }

    boolean shows(double value) {
        return range.contains(value) || open && value > range.max();
    }
}
