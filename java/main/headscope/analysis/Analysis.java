package headscope.analysis;

import java.nio.file.Path;

/**
 * One run of an analysis. Its files are written into a folder next to the run folder and published by {@link #commit};
 * without it they remain for a later run with --resume.
 */
public interface Analysis extends AutoCloseable {
    /** The model, the device and the folder that the analysis works with; closed with the analysis. */
    Run run();

    /** Where the files of the run are until {@link #commit}. */
    default Path folder() {
        return run().place();
    }

    /** Publishes the run folder. */
    default void commit() {
        run().commit();
    }

    @Override
    default void close() {
        run().close();
    }
}
