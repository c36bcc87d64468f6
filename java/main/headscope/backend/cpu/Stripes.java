package headscope.backend.cpu;

/**
 * Query rows cut into pieces of work, of which every one has the same share of the causal triangle. How many there are
 * depends on the text alone, so that sums over them have equal bits for any number of workers.
 */
record Stripes(int rows, boolean causal, int count) {
    static final int MOST = 4;
    private static final int SHORT_TEXT = 512;

    static Stripes of(int rows, boolean causal) {
        return new Stripes(rows, causal, rows < SHORT_TEXT ? 1 : MOST);
    }

    /** The first row of a stripe. */
    int border(int stripe) {
        double share = (double) stripe / count;
        return (int) Math.round(rows * (causal ? Math.sqrt(share) : share));
    }
}
