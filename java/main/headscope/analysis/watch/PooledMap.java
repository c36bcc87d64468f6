package headscope.analysis.watch;

import java.util.Arrays;

/**
 * A map of attention probabilities that grows by rows and keeps the maximum of each cell: token i lies in cell i / bin.
 * When the tokens outgrow the cells, neighbouring cells are joined and the bin doubles.
 */
final class PooledMap {
    private final int side;
    private final float[] cells; // [side, side]
    private int bin = 1;
    private int tokens;

    /** @param side largest number of cells on each side */
    PooledMap(int side) {
        this.side = side;
        this.cells = new float[side * side];
    }

    int bin() {
        return bin;
    }

    int tokens() {
        return tokens;
    }

    /** Number of cells on each side that the tokens fill. */
    int filled() {
        return (tokens + bin - 1) / bin;
    }

    void clear() {
        Arrays.fill(cells, 0);
        bin = 1;
        tokens = 0;
    }

    /** Makes room for rows up to this number of tokens. */
    void grow(int end) {
        while (end > (long) side * bin) {
            halve();
        }
        tokens = end;
    }

    /** @param row [keys] of the query at this position */
    void add(int position, float[] row, int offset, int keys) {
        int from = position / bin * side;
        for (int key = 0; key < keys; key++) {
            int cell = from + key / bin;
            cells[cell] = Math.max(cells[cell], row[offset + key]);
        }
    }

    private void halve() {
        bin *= 2;
        for (int row = 0; row < side; row++) {
            for (int column = 0; column < side; column++) {
                cells[row * side + column] = joined(2 * row, 2 * column);
            }
        }
    }

    private float joined(int row, int column) {
        float largest = 0;
        for (int i = row; i < Math.min(row + 2, side); i++) {
            for (int j = column; j < Math.min(column + 2, side); j++) {
                largest = Math.max(largest, cells[i * side + j]);
            }
        }
        return largest;
    }

    /** The filled rows from this one on, row-major [rows, columns]. */
    float[] rows(int first, int columns) {
        int rows = filled() - first;
        float[] values = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(cells, (first + row) * side, values, row * columns, columns);
        }
        return values;
    }
}
