package headscope.analysis;

/** Receives the progress of long work. */
public interface Progress {
    Progress SILENT = (done, of) -> {};

    /** @param done parts finished, of all parts */
    void reached(int done, int of);

    /**
     * Progress within the part that follows the finished ones. The first call also marks where computing begins, after
     * the parts that an interrupted run has finished.
     *
     * @param share of the part that is done, 0 to 1
     */
    default void within(double share) {}
}
