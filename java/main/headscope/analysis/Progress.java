package headscope.analysis;

/** Receives the progress of long work. */
public interface Progress {
    Progress SILENT = (done, of) -> {};

    /** @param done parts finished, of all parts */
    void reached(int done, int of);
}
