package headscope.result;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/**
 * Publishes the results in a partial folder under the name of the run folder. At every moment of it the run folder is
 * either the older one, whole, or the new one, whole, and a later run can tell which: the partial folder holds a copy of
 * the new manifest, the commit mark, from before the first change until everything else in it has been deleted.
 *
 * <p>Where two names cannot be exchanged in one step, the older folder is moved into the partial folder first; a kill
 * before the second move leaves no run folder until a later run makes that move. A folder that cannot be renamed at all,
 * as one of a lower layer of an overlay file system (of a container's image), is emptied first; what a kill leaves of it
 * is marked as replaced.
 *
 * @param out     the run folder
 * @param partial the partial folder, whose lock the caller holds
 */
record Publication(Path out, Path partial) {
    private static final String RESULTS = "results";
    private static final String MARK = ".headscope-commit";
    private static final String REPLACED = ".headscope-replaced";

    /** The name of the manifest in a run folder that is being emptied. */
    private static final String EMPTIED = ".headscope-replaced-manifest.json";

    /** The folder to be published. */
    Path results() {
        return partial.resolve(RESULTS);
    }

    /** Whether a publication has begun and has not been cleaned up. */
    boolean begun() {
        return Files.exists(mark());
    }

    /**
     * Publishes the results. On failure, nothing has changed under the name of the run folder, unless that was being
     * emptied.
     */
    void publish() throws IOException {
        Files.copy(results().resolve(RunFolder.MANIFEST), mark(), StandardCopyOption.REPLACE_EXISTING);
        FolderTree.force(results());
        FolderTree.forceOne(mark());
        FolderTree.forceOne(partial);
        if (!exists(out)) {
            Files.move(results(), out, StandardCopyOption.ATOMIC_MOVE);
        } else if (!NameExchange.exchange(results(), out)) {
            replaceInTwoSteps();
        }
        FolderTree.forceOne(out.getParent());
    }

    void replaceInTwoSteps() throws IOException {
        try {
            Files.move(out, replaced(), StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException fixed) {
            replaceInPlace();
            return;
        }
        try {
            Files.move(results(), out, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            Files.move(replaced(), out, StandardCopyOption.ATOMIC_MOVE);
            throw failure;
        }
    }

    /** Deletes the older folder where it is. */
    void replaceInPlace() throws IOException {
        Files.createDirectories(replaced()); // tells a later run that there was an older folder
        Files.move(out.resolve(RunFolder.MANIFEST), out.resolve(EMPTIED), StandardCopyOption.ATOMIC_MOVE);
        empty();
        Files.move(results(), out, StandardCopyOption.ATOMIC_MOVE);
    }

    private void empty() throws IOException {
        for (Path member : FolderTree.members(out)) {
            if (!member.equals(out.resolve(EMPTIED))) {
                FolderTree.delete(member);
            }
        }
        FolderTree.delete(out);
    }

    /**
     * Finishes a publication that was interrupted, or undoes it if the run folder is still the older one.
     *
     * @return one line for the user if it was finished
     */
    Optional<String> recover() throws IOException {
        if (!begun()) {
            return Optional.empty();
        }
        if (exists(out.resolve(EMPTIED)) && isNew(results())) {
            empty();
        }
        boolean absent = !exists(out);
        if (absent && exists(replaced()) && isNew(results())) {
            Files.move(results(), out, StandardCopyOption.ATOMIC_MOVE);
        } else if (absent && exists(replaced().resolve(RunFolder.MANIFEST))) {
            Files.move(replaced(), out, StandardCopyOption.ATOMIC_MOVE);
        }
        if (isNew(out)) {
            clean();
            return Optional.of(out + (absent
                    ? ": published the results of a run that was interrupted while it replaced this folder"
                    : ": deleted what an interrupted run had left in %s after it published its results".formatted(partial)));
        }
        Files.delete(mark());
        return Optional.empty();
    }

    /**
     * Deletes everything in the partial folder except the lock: first the manifests of replaced results, so that none
     * of what remains after a kill passes for a run folder, and the commit mark last.
     */
    void clean() throws IOException {
        for (Path old : List.of(results(), replaced())) {
            Files.deleteIfExists(old.resolve(RunFolder.MANIFEST));
        }
        for (Path member : FolderLock.others(partial)) {
            if (!member.equals(mark())) {
                FolderTree.delete(member);
            }
        }
        Files.deleteIfExists(mark());
    }

    private boolean isNew(Path folder) throws IOException {
        Path manifest = folder.resolve(RunFolder.MANIFEST);
        return Files.isRegularFile(manifest) && Files.mismatch(manifest, mark()) == -1;
    }

    private Path mark() {
        return partial.resolve(MARK);
    }

    private Path replaced() {
        return partial.resolve(REPLACED);
    }

    /** Also true for a dangling link. */
    static boolean exists(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }
}
