package headscope.figure;

import java.util.List;

/**
 * The scale that all heat maps of a figure share.
 *
 * @param label what the numbers are
 * @param range the numbers at the bar's foot and at its top
 */
public record ColorBar(String label, Range range, Colormap colormap) {
    /** Round numbers within the range, at most {@code most} of them. */
    public List<Tick> ticks(int most) {
        return Tick.ofNumbers(range, most);
    }
}
