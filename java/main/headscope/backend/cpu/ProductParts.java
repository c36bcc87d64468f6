package headscope.backend.cpu;

/** Divides a matrix product along its longer side among workers. */
record ProductParts(Workers workers) {
    /** Multiply-adds of the smallest part; where OpenBLAS has other kernels for small products, parts avoid these. */
    private static final long SMALLEST_PART = OpenBlas.HAS_SMALL_KERNELS ? 1_000_001 : 100_000;
    /** Rows per two parts. With more parts, BLAS spends more time packing; with fewer, workers are idle. */
    private static final int ROWS_PER_TWO_PARTS = 2048;

    interface Part {
        void compute(int from, int count);
    }

    /** The division depends on the product's shape only, because a different division may give different bits. */
    void each(int length, long multiplyAdds, Part part) {
        int most = Math.min(length, 2 * ((length + ROWS_PER_TWO_PARTS - 1) / ROWS_PER_TWO_PARTS));
        int pieces = multiplyAdds / most < SMALLEST_PART ? 1 : most;
        workers.each(pieces, piece -> {
            int from = (int) ((long) length * piece / pieces);
            int to = (int) ((long) length * (piece + 1) / pieces);
            part.compute(from, to - from);
        });
    }
}
