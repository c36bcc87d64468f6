package headscope.backend.cpu;

/**
 * Consecutive query rows, divided so that every stripe has the same area of the (causal) attention map. The number of
 * stripes depends on the number of rows only, so sums over stripes have the same bits for any number of workers.
 */
record Stripes(int rows, boolean causal, int count) {
    static final int MAX = 4;
    private static final int MIN_ROWS = 512;

    static Stripes of(int rows, boolean causal) {
        return new Stripes(rows, causal, rows < MIN_ROWS ? 1 : MAX);
    }

    /** First row of a stripe. */
    int border(int stripe) {
        double share = (double) stripe / count;
        return (int) Math.round(rows * (causal ? Math.sqrt(share) : share));
    }
}
