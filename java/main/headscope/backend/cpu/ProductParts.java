package headscope.backend.cpu;

/** Divides a matrix product along its longer side among workers. */
record ProductParts(Workers workers) {
    /** Products of fewer multiply-adds run on one thread. */
    private static final long SMALL_PRODUCT = 200_000;
    /** Rows per two parts. With more parts, BLAS spends more time packing; with fewer, workers are idle. */
    private static final int ROWS_PER_TWO_PARTS = 2048;

    interface Part {
        void compute(int from, int count);
    }

    /** The division depends on the product's shape only, because a different division may give different bits. */
    void each(int length, long multiplyAdds, Part part) {
        int pieces = multiplyAdds < SMALL_PRODUCT ? 1 : Math.min(length, 2 * ((length + ROWS_PER_TWO_PARTS - 1) / ROWS_PER_TWO_PARTS));
        workers.each(pieces, piece -> {
            int from = (int) ((long) length * piece / pieces);
            int to = (int) ((long) length * (piece + 1) / pieces);
            part.compute(from, to - from);
        });
    }
}
