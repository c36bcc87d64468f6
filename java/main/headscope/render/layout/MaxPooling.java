package headscope.render.layout;

/**
 * Reduces a map of values to fewer rows and columns by the maximum of each block of cells. A block contains every cell
 * that its pixel touches, so neighbouring blocks share the cells on their border.
 */
public record MaxPooling(int rows, int columns, int pooledRows, int pooledColumns) {
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
                int right = end(column, columns, pooledColumns);
                float max = Float.NaN;
                for (int y = top; y < bottom; y++) {
                    for (int x = first(column, columns, pooledColumns); x < right; x++) {
                        float value = values[y * columns + x];
                        max = value > max || Float.isNaN(max) ? value : max; // a comparison with NaN is false
                    }
                }
                pooled[row * pooledColumns + column] = max;
            }
        }
    }

    private static int first(int block, int cells, int blocks) {
        return (int) ((long) block * cells / blocks);
    }

    /** The first cell after the block. */
    private static int end(int block, int cells, int blocks) {
        return (int) (((long) (block + 1) * cells + blocks - 1) / blocks);
    }
}
