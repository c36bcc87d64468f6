package headscope.backend;

/**
 * Size and pooling of an {@link AttentionAtlas}.
 *
 * @param side    P: cells per side, 1 to {@value #MAX_SIDE}
 * @param pooling how the probabilities of a cell are combined
 */
public record AtlasSpec(int side, Pooling pooling) {
    public static final int MAX_SIDE = 256;

    /** How the probabilities of a cell are combined. */
    public enum Pooling {
        /** The largest probability of the cell. */
        MAXIMUM,
        /** The sum of the cell's probabilities over the number of its entries, where hidden keys count as 0. */
        MEAN
    }

    public AtlasSpec {
        if (side < 1 || side > MAX_SIDE) {
            throw new IllegalArgumentException("%d cells per side; 1 to %d are supported".formatted(side, MAX_SIDE));
        }
    }

    /** Tokens per cell of a text of this length: the smallest power of two for which P cells hold all tokens. */
    public int bin(int tokens) {
        int bin = 1;
        while ((long) side * bin < tokens) {
            bin *= 2;
        }
        return bin;
    }

    /** Number of rows, and of columns, of cells that hold tokens of a text of this length. */
    public int rows(int tokens) {
        int bin = bin(tokens);
        return (tokens + bin - 1) / bin;
    }

    /** Number of tokens of a text of this length in a cell: fewer in the last cell, 0 beyond it. */
    public int extent(int tokens, int cell) {
        int bin = bin(tokens);
        return Math.clamp(tokens - (long) cell * bin, 0, bin);
    }
}
