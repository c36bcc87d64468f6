package headscope.backend;

import java.util.Arrays;

/**
 * Ranges of rows of a tensor, in ascending order and without overlap, such as the rows of each text of a batch. A range
 * may be empty, and a row may lie in none.
 */
public final class RowRanges {
    /** First row and end of each range, [ranges, 2]. */
    private final int[] bounds;

    /**
     * @param first first row of each range
     * @param end   the row after its last one
     * @throws IllegalArgumentException if there is no range, or if they overlap or are not in order
     */
    public RowRanges(int[] first, int[] end) {
        bounds = new int[first.length + end.length];
        boolean ordered = first.length == end.length && first.length > 0;
        int before = 0;
        for (int range = 0; range < first.length && ordered; range++) {
            ordered = before <= first[range] && first[range] <= end[range];
            before = end[range];
            bounds[2 * range] = first[range];
            bounds[2 * range + 1] = end[range];
        }
        if (!ordered) {
            throw new IllegalArgumentException(
                    "rows %s to %s are not ascending ranges".formatted(Arrays.toString(first), Arrays.toString(end)));
        }
    }

    /** One range of this many rows. */
    public static RowRanges all(int rows) {
        return new RowRanges(new int[] {0}, new int[] {rows});
    }

    public int count() {
        return bounds.length / 2;
    }

    public int first(int range) {
        return bounds[2 * range];
    }

    public int end(int range) {
        return bounds[2 * range + 1];
    }

    /** The range in which a row lies, or -1. */
    public int find(int row) {
        int low = 0;
        for (int high = count(); high - low > 1;) {
            int middle = (low + high) / 2;
            if (first(middle) <= row) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return first(low) <= row && row < end(low) ? low : -1;
    }

    /** First row and end of each range, [ranges, 2]. */
    public int[] bounds() {
        return bounds.clone();
    }

    @Override
    public String toString() {
        return "%d ranges of rows up to %d".formatted(count(), end(count() - 1));
    }
}
