package headscope.render.screen;

/**
 * The values of a grid of square maps, for a texture that follows their changes.
 *
 * @param name    of the texture; values of the same name follow each other
 * @param layers  rows of the grid
 * @param heads   maps per row of the grid
 * @param side    cells on each side of a map
 * @param values  [layers, heads, side, side], row-major; not copied
 * @param changed [layers, side], row-major: a number that grows whenever this row of cells changes in a layer's maps, at
 *                least 1; not copied
 */
public record CellValues(String name, int layers, int heads, int side, float[] values, long[] changed) {
    public CellValues {
        if (layers < 1 || heads < 1 || side < 1 || values.length != Math.multiplyExact(layers * heads, side * side)
                || changed.length != layers * side) {
            throw new IllegalArgumentException("%s: %d values and %d rows for %d layers x %d heads of %d x %d cells"
                    .formatted(name, values.length, changed.length, layers, heads, side, side));
        }
    }
}
