package headscope.backend.cpu;

/** A matrix product's longer side, shared among workers: every part is a compact product. */
record ProductParts(Workers workers) {
    /** Multiply-adds below which a product is not worth waking another worker. */
    private static final long SMALL_PRODUCT = 200_000;
    /** The side is cut into two parts for each so many: more would cost more packing, fewer would leave workers idle. */
    private static final int PARTED = 2048;

    interface Part {
        void compute(int from, int count);
    }

    /** By the product's shape alone: another cut may have other bits. */
    void each(int length, long multiplyAdds, Part part) {
        int pieces = multiplyAdds < SMALL_PRODUCT ? 1 : Math.min(length, 2 * ((length + PARTED - 1) / PARTED));
        workers.each(pieces, piece -> {
            int from = (int) ((long) length * piece / pieces);
            int to = (int) ((long) length * (piece + 1) / pieces);
            part.compute(from, to - from);
        });
    }
}
