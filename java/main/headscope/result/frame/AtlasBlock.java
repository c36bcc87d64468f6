package headscope.result.frame;

/**
 * Some rows of cells of all heads of one layer, in the pooled atlas. Token i lies in cell i / bin of a frame.
 *
 * @param firstRow the first row of cells
 * @param rows     number of rows of cells
 * @param values   row-major [heads, rows, P]: pooled attention probabilities, 0 where no token is yet; not copied, and
 *                 never changed
 */
public record AtlasBlock(int layer, int firstRow, int rows, float[] values) {
    public AtlasBlock {
        if (layer < 0 || firstRow < 0 || rows < 1 || values.length % rows != 0) {
            throw new IllegalArgumentException("layer %d, rows %d to %d, %d values"
                    .formatted(layer, firstRow, firstRow + rows, values.length));
        }
    }
}
