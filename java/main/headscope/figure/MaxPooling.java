package headscope.figure;

/**
 * Reduces a map of values to fewer rows and columns by the maximum of each block of cells.
 *
 * @param rows          of the map
 * @param columns       of the map
 * @param pooledRows    at most as many
 * @param pooledColumns at most as many
 * @param shared        whether neighbouring blocks share the cells on their border, as pixels do that both touch such a cell
 */
public record MaxPooling(int rows, int columns, int pooledRows, int pooledColumns, boolean shared) {
    /** To one value per pixel, where cells are smaller than pixels. */
    public static MaxPooling toPixels(Mark.Heatmap map, int height, int width) {
        return new MaxPooling(map.rows(), map.columns(), Math.min(map.rows(), height), Math.min(map.columns(), width), true);
    }

    /** To cells of several tokens each: every token lies in one cell, and their numbers of tokens differ by at most one. */
    public static MaxPooling ofTokens(Mark.Heatmap map, int rows, int columns) {
        return new MaxPooling(map.rows(), map.columns(), Math.clamp(rows, 1, map.rows()),
                Math.clamp(columns, 1, map.columns()), false);
    }

    /** Whether blocks have more than one cell. */
    public boolean reduces() {
        return pooledRows < rows || pooledColumns < columns;
    }

    /** What a cell of a reduced map of tokens shows, as a sentence. */
    public String note() {
        return "A cell of the token map shows the largest value of up to %d x %d tokens."
                .formatted(Math.ceilDiv(rows, pooledRows), Math.ceilDiv(columns, pooledColumns));
    }

    /**
     * NaN cells are ignored; a block of NaN alone becomes NaN.
     *
     * @param values [rows, columns], row-major
     * @param pooled [pooledRows, pooledColumns], row-major; receives the result
     */
    public void apply(float[] values, float[] pooled) {
        for (int row = 0; row < pooledRows; row++) {
            int top = first(row, rows, pooledRows);
            int bottom = end(row, rows, pooledRows);
            for (int column = 0; column < pooledColumns; column++) {
                int left = first(column, columns, pooledColumns);
                int right = end(column, columns, pooledColumns);
                float max = Float.NaN;
                for (int y = top; y < bottom; y++) {
                    for (int x = left; x < right; x++) {
                        float value = values[y * columns + x];
                        max = value > max || Float.isNaN(max) ? value : max; // a comparison with NaN is false
                    }
                }
                pooled[row * pooledColumns + column] = max;
            }
        }
    }

    /** The first cell of a block. */
    public static int first(int block, int cells, int blocks) {
        return (int) ((long) block * cells / blocks);
    }

    /** The first cell after the block. */
    private int end(int block, int cells, int blocks) {
        return shared ? (int) (((long) (block + 1) * cells + blocks - 1) / blocks) : first(block + 1, cells, blocks);
    }
}
