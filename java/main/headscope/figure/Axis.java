package headscope.figure;

import java.util.List;

/**
 * One side of a panel, divided into cells of equal length: cell i spans [i, i + 1). Cells count to the right on
 * a horizontal axis and downwards on a vertical one.
 *
 * @param label what is counted
 * @param count how many cells, at least one
 */
public record Axis(String label, int count) {
    public Axis {
        if (count < 1) {
            throw new IllegalArgumentException("%s: an axis of %d cells".formatted(label, count));
        }
    }

    /** Cells to be labelled: 0 and the multiples of a power of two, at most {@code most} of them, at least one. */
    public List<Tick> ticks(int most) {
        return Tick.ofCells(count, most);
    }
}
