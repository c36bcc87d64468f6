package headscope.backend.cuda;

import java.util.Optional;

/** cuBLAS: three functions of it, of whichever version there is. Sums are fp32. */
interface Blas extends AutoCloseable {
    /** Such as "cuBLAS 12.6.4". */
    String describe();

    void multiply(Product product);

    @Override
    void close();

    /**
     * The first that works: where HEADSCOPE_CUBLAS points, then cuBLAS 12 through JCublas, then 13 without it.
     *
     * @param stream that products are put into
     */
    static Optional<Blas> find(Stream stream, boolean tf32) {
        for (CublasLibrary library : CublasLibrary.candidates()) {
            Optional<Blas> opened = library.open(stream, tf32);
            if (opened.isPresent()) {
                return opened;
            }
        }
        return Optional.empty();
    }

    /** As 120604 or 130000 -> 12.6.4 or 13.0.0. */
    static String dotted(int version) {
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }
}
