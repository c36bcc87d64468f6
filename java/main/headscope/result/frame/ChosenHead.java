package headscope.result.frame;

import java.util.Arrays;

/**
 * The head that a viewer looks at closely: new rows of its map, and its eigenvalues.
 *
 * @param bin         tokens per cell of the map: 1, or a power of two for a long text, where a cell holds the maximum
 * @param firstRow    the first of these rows of cells; 0 if the map is given anew
 * @param columns     number of cells of the text so far
 * @param values      row-major [rows, columns]: attention probabilities; not copied, and never changed
 * @param eigenvalues of the causal Laplacian of the text so far, descending; at most {@link #MAX_EIGENVALUES}, empty if
 *                    attention is bidirectional
 * @param tokens      number of tokens, and of eigenvalues; those between are omitted evenly if there are more than shown
 */
public record ChosenHead(
        int layer, int head, int bin, int firstRow, int columns, float[] values, float[] eigenvalues, int tokens) {
    /** More are not distinguishable in a plot. */
    public static final int MAX_EIGENVALUES = 1024;

    public ChosenHead {
        if (bin < 1 || firstRow < 0 || columns < 1 || values.length % columns != 0
                || eigenvalues.length > MAX_EIGENVALUES) {
            throw new IllegalArgumentException("head %d of layer %d: %d values in rows of %d from row %d, %d eigenvalues"
                    .formatted(head, layer, values.length, columns, firstRow, eigenvalues.length));
        }
    }

    /** Number of rows of cells. */
    public int rows() {
        return values.length / columns;
    }

    /** This one's rows, then those of the next frame, as one; the next alone if it is another head or given anew. */
    ChosenHead then(ChosenHead next) {
        boolean continues = next.layer == layer && next.head == head && next.bin == bin && next.firstRow >= firstRow
                && next.firstRow <= firstRow + rows();
        if (!continues) {
            return next;
        }
        int kept = next.firstRow - firstRow;
        float[] joined = new float[(kept + next.rows()) * next.columns];
        for (int row = 0; row < kept; row++) {
            System.arraycopy(values, row * columns, joined, row * next.columns, columns);
        }
        System.arraycopy(next.values, 0, joined, kept * next.columns, next.values.length);
        return new ChosenHead(
                layer, head, bin, firstRow, next.columns, joined, next.eigenvalues, next.tokens);
    }

    /** At most {@link #MAX_EIGENVALUES} of the values, in descending order, the first and the last among them. */
    public static float[] shown(double[] eigenvalues) {
        double[] sorted = eigenvalues.clone();
        Arrays.sort(sorted);
        int count = Math.min(sorted.length, MAX_EIGENVALUES);
        float[] shown = new float[count];
        for (int i = 0; i < count; i++) {
            long rank = count == 1 ? 0 : Math.round((double) i * (sorted.length - 1) / (count - 1));
            shown[i] = (float) sorted[(int) (sorted.length - 1 - rank)];
        }
        return shown;
    }
}
