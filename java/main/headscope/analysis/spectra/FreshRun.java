package headscope.analysis.spectra;

import headscope.result.RunFolder;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** A run folder that is written in one go: without {@link #commit}, {@link #close} deletes what was written. */
final class FreshRun implements AutoCloseable {
    private final Path out;
    private final boolean overwrite;
    private final ReentrantLock disk = new ReentrantLock();
    private Optional<RunFolder> folder = Optional.empty();
    private boolean finished;

    /** @param overwrite replace an earlier run in {@code out} */
    FreshRun(Path out, boolean overwrite) {
        this.out = out;
        this.overwrite = overwrite;
    }

    /** @throws headscope.result.RunFolderException if the run folder may not be written */
    RunFolder begin() {
        return onDisk(() -> {
            folder = Optional.of(RunFolder.beginAnew(out, overwrite));
            return folder.get();
        });
    }

    /** Where the files are between {@link #begin} and {@link #commit}. */
    Path folder() {
        return folder.orElseThrow().file(RunFolder.MANIFEST).getParent();
    }

    /** Runs work that writes into the folder. It does not return once the run is abandoned. */
    <T> T onDisk(Supplier<T> work) {
        disk.lock();
        try {
            return work.get();
        } finally {
            disk.unlock();
        }
    }

    /**
     * Deletes what was written, unless it is published, and stops every other thread before it writes more: for a
     * program that is being terminated.
     */
    void abandon() {
        disk.lock(); // for good
        close();
    }

    /** Publishes the run folder. */
    void commit() {
        onDisk(() -> {
            folder.orElseThrow().commit();
            finished = true;
            return folder;
        });
    }

    @Override
    public void close() {
        onDisk(() -> {
            if (!finished) {
                finished = true;
                folder.ifPresent(RunFolder::discard);
            }
            return folder;
        });
    }
}
