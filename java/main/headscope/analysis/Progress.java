package headscope.analysis;

/** Who is told how far long work has come. */
public interface Progress {
    Progress SILENT = (done, of) -> {};

    void reached(int done, int of);
}
