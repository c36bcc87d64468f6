package headscope.result;

import headscope.tensor.DiskFailure;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * The results of one run, published complete or not at all. Files are written to a folder next to it,
 * {@code <out>.partial}, from which {@link #commit} publishes them; a run can continue what an interrupted one left
 * there. A lock admits one run at a time. Every method throws {@link RunFolderException} if the disk fails.
 */
public final class RunFolder implements AutoCloseable {
    /** The file that marks a run folder; every run writes it. */
    public static final String MANIFEST = "manifest.json";

    private static final String PROGRESS = ".headscope-progress";
    private static final int MAX_ATTEMPTS = 100;
    private static final int LOOKS = 3;

    private final Path out;
    private final Path partial;
    private final Publication publication;
    private final FolderLock lock;
    private final boolean resumed;
    private final boolean overwrite;
    private final Optional<String> notice;
    private boolean open = true;

    private RunFolder(
            Publication publication, FolderLock lock, boolean resumed, boolean overwrite, Optional<String> notice) {
        this.out = publication.out();
        this.partial = publication.partial();
        this.publication = publication;
        this.lock = lock;
        this.resumed = resumed;
        this.overwrite = overwrite;
        this.notice = notice;
    }

    /**
     * Starts a run, or continues an interrupted one. If {@code out} is a link, the run folder is what it points to.
     *
     * @param out       the run folder to be published; its parents are created
     * @param resume    keep what an interrupted run has finished, if there is one
     * @param overwrite replace older results; delete the files of an interrupted run unless {@code resume}
     * @throws RunFolderException if {@code out} or an interrupted run exists and may not be replaced, if another run
     *                            holds the folder, or if the folder cannot be created
     */
    public static RunFolder begin(Path out, boolean resume, boolean overwrite) {
        return begin(out, resume, overwrite, "continue it with --resume");
    }

    /** {@link #begin} of a run that cannot be resumed. */
    public static RunFolder beginAnew(Path out, boolean overwrite) {
        return begin(out, false, overwrite, "choose another --out");
    }

    /** @param remedy for an interrupted run that may not be replaced */
    private static RunFolder begin(Path out, boolean resume, boolean overwrite, String remedy) {
        Path place = place(out);
        Path partial = place.resolveSibling(place.getFileName() + ".partial");
        Publication publication = new Publication(place, partial);
        if (!publication.begun()) {
            checkFree(place, overwrite);
        }
        try {
            FolderLock lock = take(partial);
            boolean interrupted = true;
            Optional<String> notice = Optional.empty();
            try {
                notice = publication.recover();
                interrupted = hasFiles(partial);
                // again, now that no other run can be about to publish its results there
                checkFree(place, overwrite);
                if (interrupted) {
                    takeOver(publication, resume, overwrite, remedy);
                }
                return new RunFolder(publication, lock, interrupted && resume, overwrite, notice);
            } catch (Throwable failure) {
                if (interrupted) {
                    lock.release(partial);
                } else {
                    publication.clean();
                    lock.deleteWith(partial);
                }
                if (notice.isPresent() && failure instanceof RunFolderException refused) {
                    throw new RunFolderException(refused, notice.get());
                }
                throw failure;
            }
        } catch (IOException failure) {
            RunFolderException failed = new RunFolderException(partial, failure);
            throw DiskFailure.noRoom(failure) ? new RunFolderException(failed, "make room (df -h, df -i)") : failed;
        }
    }

    private static Path place(Path out) {
        Path place = out.toAbsolutePath().normalize();
        if (place.getFileName() == null) {
            throw new RunFolderException(place, "cannot be a run folder");
        }
        if (!Files.isSymbolicLink(place)) {
            return place;
        }
        try {
            return place.toRealPath();
        } catch (IOException failure) {
            throw new RunFolderException(place,
                    "is a broken link (%s); remove it, or choose another --out".formatted(DiskFailure.reason(failure)));
        }
    }

    /** Creates the folder and takes its lock; again if a run that has just finished deletes the folder in between. */
    private static FolderLock take(Path partial) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                make(partial);
                return FolderLock.take(partial);
            } catch (NoSuchFileException deleted) {
                if (attempt == MAX_ATTEMPTS) {
                    throw deleted;
                }
            }
        }
    }

    /** One line for the user if this run has finished what an interrupted one had begun to publish. */
    public Optional<String> notice() {
        return notice;
    }

    /** Whether this run continues an interrupted one. */
    public boolean resumed() {
        return resumed;
    }

    /** The run folder to be published, an absolute path. */
    public Path out() {
        return out;
    }

    /**
     * The path at which to write a file of the results; its folder exists. Valid until the run is committed or closed.
     *
     * @param name may contain folders, such as {@code figures/overview.png}
     */
    public Path file(String name) {
        return inside(publication.results(), name);
    }

    /** The path at which to write a file that only a resumed run needs; {@link #commit} deletes it. */
    public Path progress(String name) {
        return inside(partial.resolve(PROGRESS), name);
    }

    /**
     * Publishes the results.
     *
     * @throws IllegalStateException if no manifest was written
     */
    public void commit() {
        requireOpen();
        if (!Files.exists(publication.results().resolve(MANIFEST))) {
            throw new IllegalStateException(partial + ": no " + MANIFEST + " was written");
        }
        checkFree(out, overwrite);
        try {
            publication.publish();
        } catch (IOException failure) {
            throw new RunFolderException(out, failure);
        }
        discard();
    }

    /** Deletes everything that this run has written, except published results. */
    public void discard() {
        requireOpen();
        open = false;
        try {
            try {
                publication.clean();
            } catch (IOException failure) {
                lock.release(partial);
                throw failure;
            }
            lock.deleteWith(partial);
        } catch (IOException failure) {
            throw new RunFolderException(partial, failure);
        }
    }

    /** Without {@link #commit}, keeps the files for a later run with --resume. */
    @Override
    public void close() {
        if (open) {
            open = false;
            try {
                lock.release(partial);
            } catch (IOException failure) {
                throw new RunFolderException(partial, failure);
            }
        }
    }

    private static void checkFree(Path out, boolean overwrite) {
        if (!Publication.exists(out)) {
            return;
        }
        if (!overwrite) {
            throw new RunFolderException(out, "already exists; choose another --out, or use --overwrite");
        }
        if (!Files.exists(out.resolve(MANIFEST))) {
            throw new RunFolderException(out,
                    "exists and is not a run folder (it has no %s); not overwritten"
                    .formatted(MANIFEST));
        }
    }

    /** Creates the folder; rejects one that no run has created. */
    private static void make(Path partial) throws IOException {
        Path parent = partial.getParent();
        try {
            Files.createDirectories(parent);
        } catch (IOException failure) {
            throw new RunFolderException(parent, failure);
        }
        try {
            Files.createDirectory(partial);
        } catch (FileAlreadyExistsException already) {
            if (!Files.readAttributes(partial, BasicFileAttributes.class).isDirectory()) {
                throw already;
            }
            if (foreign(partial)) {
                throw new RunFolderException(partial, "exists and is not an interrupted run; move it away");
            }
        }
    }

    /**
     * Whether no run has created what the folder contains. Another run may finish and a third begin between two looks at
     * the folder, hence several.
     */
    private static boolean foreign(Path partial) throws IOException {
        for (int look = 0; look < LOOKS; look++) {
            if (Files.exists(partial.resolve(FolderLock.LOCK)) || FolderLock.others(partial).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** Whether the folder contains more than the lock and empty folders. */
    private static boolean hasFiles(Path partial) throws IOException {
        for (Path member : FolderLock.others(partial)) {
            if (FolderTree.everything(member).stream().anyMatch(path -> !Files.isDirectory(path))) {
                return true;
            }
        }
        return false;
    }

    /** Keeps the progress of the interrupted run, or nothing. Results are written again, for they may be incomplete. */
    private static void takeOver(Publication publication, boolean resume, boolean overwrite, String remedy) throws IOException {
        Path partial = publication.partial();
        if (!resume && !overwrite) {
            throw new RunFolderException(partial,
                    "contains an interrupted run; %s, or delete it with --overwrite".formatted(remedy));
        }
        if (!resume) {
            publication.clean();
            return;
        }
        if (Files.exists(publication.results())) {
            FolderTree.delete(publication.results());
        }
        for (Path path : FolderTree.everything(partial)) {
            // left by a writer that was killed before it renamed the file
            if (Files.isRegularFile(path) && path.getFileName().toString().contains(".partial-")) {
                Files.delete(path);
            }
        }
    }

    private Path inside(Path folder, String name) {
        requireOpen();
        Path path = folder.resolve(name).normalize();
        if (!path.startsWith(folder) || path.equals(folder)) {
            throw new IllegalArgumentException(name + " is not inside the run folder");
        }
        try {
            Files.createDirectories(path.getParent());
        } catch (IOException failure) {
            throw new RunFolderException(path.getParent(), failure);
        }
        return path;
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalStateException(partial + ": the run is closed");
        }
    }
}
