package headscope.analysis;

/** Receives the progress of long work. */
public interface Progress {
    Progress SILENT = (done, of) -> {};

    /** @param done parts finished, of all parts */
    void reached(int done, int of);

    /**
     * Progress within the parts that follow the finished ones. The first call also marks where computing begins, after
     * the parts that an interrupted run has finished.
     *
     * @param parts that are done, from 0: half of a part counts as 0.5, half of a batch as half its number of texts
     */
    default void within(double parts) {}
}
