package headscope.result;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * The results of one run, published complete or not at all. Files are written to a folder next to it,
 * {@code <out>.partial}, which {@link #commit} renames; a run can continue what an interrupted one left there. A lock
 * admits one run at a time. Every method throws {@link RunFolderException} if the disk fails.
 */
public final class RunFolder implements AutoCloseable {
    /** The file that marks a run folder; every run writes it. */
    public static final String MANIFEST = "manifest.json";

    private static final String PROGRESS = ".headscope-progress";

    private final Path out;
    private final Path partial;
    private final FolderLock lock;
    private final boolean resumed;
    private final boolean overwrite;
    private boolean open = true;

    private RunFolder(Path out, Path partial, FolderLock lock, boolean resumed, boolean overwrite) {
        this.out = out;
        this.partial = partial;
        this.lock = lock;
        this.resumed = resumed;
        this.overwrite = overwrite;
    }

    /**
     * Starts a run, or continues an interrupted one.
     *
     * @param out       the run folder to be published; its parents are created
     * @param resume    keep the files of an interrupted run, if there is one
     * @param overwrite replace older results; delete the files of an interrupted run unless {@code resume}
     * @throws RunFolderException if {@code out} or an interrupted run exists and may not be replaced, if another run
     *                            holds the folder, or if the folder cannot be created
     */
    public static RunFolder begin(Path out, boolean resume, boolean overwrite) {
        Path place = out.toAbsolutePath().normalize();
        if (place.getFileName() == null) {
            throw new RunFolderException(place, "cannot be a run folder");
        }
        Path partial = place.resolveSibling(place.getFileName() + ".partial");
        checkFree(place, overwrite);
        try {
            make(partial);
            FolderLock lock = FolderLock.take(partial);
            boolean interrupted = !work(partial).isEmpty();
            try {
                // again, now that no other run can be about to publish its results there
                checkFree(place, overwrite);
                if (interrupted) {
                    takeOver(partial, resume, overwrite);
                }
                return new RunFolder(place, partial, lock, interrupted && resume, overwrite);
            } catch (Throwable failure) {
                if (!interrupted) {
                    FolderTree.delete(partial);
                }
                lock.release(partial);
                throw failure;
            }
        } catch (IOException failure) {
            throw new RunFolderException(partial, failure);
        }
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
        return inside(partial, name);
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
        if (!Files.exists(partial.resolve(MANIFEST))) {
            throw new IllegalStateException(partial + ": no " + MANIFEST + " was written");
        }
        checkFree(out, overwrite);
        try {
            if (Files.exists(partial.resolve(PROGRESS))) {
                FolderTree.delete(partial.resolve(PROGRESS));
            }
            FolderTree.force(partial);
            replace();
            open = false;
            // held across the rename: a run that starts now finds either the lock or the results
            lock.release(out);
            Files.delete(out.resolve(FolderLock.LOCK));
            FolderTree.forceOne(out.getParent());
        } catch (IOException failure) {
            throw new RunFolderException(out, failure);
        }
    }

    /** Deletes everything that this run has written. */
    public void discard() {
        requireOpen();
        open = false;
        try {
            FolderTree.delete(partial);
            lock.release(partial);
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

    private void replace() throws IOException {
        if (!exists(out)) {
            Files.move(partial, out, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        Path old = out.resolveSibling(out.getFileName() + ".replaced-" + UUID.randomUUID());
        Files.move(out, old, StandardCopyOption.ATOMIC_MOVE);
        try {
            Files.move(partial, out, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            Files.move(old, out, StandardCopyOption.ATOMIC_MOVE);
            throw failure;
        }
        FolderTree.delete(old);
    }

    private static void checkFree(Path out, boolean overwrite) {
        if (!exists(out)) {
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
            if (!Files.isDirectory(partial)) {
                throw already;
            }
            if (!Files.exists(partial.resolve(FolderLock.LOCK)) && !work(partial).isEmpty()) {
                throw new RunFolderException(partial, "exists and is not an interrupted run; move it away");
            }
        }
    }

    /** The members of the folder except the lock. */
    private static List<Path> work(Path partial) throws IOException {
        Set<Path> lock = Set.of(partial.resolve(FolderLock.LOCK), partial.resolve(FolderLock.OWNER));
        return FolderTree.members(partial).stream().filter(member -> !lock.contains(member)).toList();
    }

    private static void takeOver(Path partial, boolean resume, boolean overwrite) throws IOException {
        if (!resume && !overwrite) {
            throw new RunFolderException(partial,
                    "contains an interrupted run; continue it with --resume, or delete it with --overwrite");
        }
        for (Path member : work(partial)) {
            if (!resume) {
                FolderTree.delete(member);
                continue;
            }
            for (Path path : FolderTree.everything(member)) {
                // left by a writer that was killed before it renamed the file
                if (Files.isRegularFile(path) && path.getFileName().toString().contains(".partial-")) {
                    Files.delete(path);
                }
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

    /** Also true for a dangling link. */
    private static boolean exists(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }
}
