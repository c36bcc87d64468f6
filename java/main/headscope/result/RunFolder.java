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
 * The results of one run, which appear at their place whole or not at all. Files are written to a folder
 * beside it, {@code <out>.partial}, which {@link #commit} renames; one that an interrupted run left can be
 * continued. One run at a time, by lock. Every method throws {@link RunFolderException} when the disk fails.
 */
public final class RunFolder implements AutoCloseable {
    /** What makes a folder a run's: every run writes it. */
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
     * Starts a run, or continues one.
     *
     * @param out       where the results are to appear; its parents are created
     * @param resume    keep what an interrupted run left, where one did
     * @param overwrite replace older results, and drop what an interrupted run left unless {@code resume}
     * @throws RunFolderException when {@code out} or an interrupted run exists and may not be touched, when
     *                            another run is at work, or when the folder cannot be made
     */
    public static RunFolder begin(Path out, boolean resume, boolean overwrite) {
        Path place = out.toAbsolutePath().normalize();
        if (place.getFileName() == null) {
            throw new RunFolderException(place, "cannot be the folder of a run");
        }
        Path partial = place.resolveSibling(place.getFileName() + ".partial");
        checkFree(place, overwrite);
        try {
            make(partial);
            FolderLock lock = FolderLock.take(partial);
            boolean interrupted = !work(partial).isEmpty();
            try {
                // Again, now that no other run can be about to put its results there.
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

    /** Whether an interrupted run's files are here. */
    public boolean resumed() {
        return resumed;
    }

    /** Where the results will be; absolute. */
    public Path out() {
        return out;
    }

    /**
     * Where to write a file of the results; its folder exists. Valid until the run is committed or closed.
     *
     * @param name may have folders, {@code figures/overview.png}
     */
    public Path file(String name) {
        return inside(partial, name);
    }

    /** Where to write what only a later run that resumes needs; {@link #commit} drops it. */
    public Path progress(String name) {
        return inside(partial.resolve(PROGRESS), name);
    }

    /**
     * Makes the results appear.
     *
     * @throws IllegalStateException when no manifest was written
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
            // Held across the renaming: a run that starts now finds either the lock or the results.
            lock.release(out);
            Files.delete(out.resolve(FolderLock.LOCK));
            FolderTree.forceOne(out.getParent());
        } catch (IOException failure) {
            throw new RunFolderException(out, failure);
        }
    }

    /** Deletes everything this run wrote. */
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

    /** Without {@link #commit}, leaves what was written for a later run that resumes. */
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
            throw new RunFolderException(out, "exists already; choose another --out, or --overwrite");
        }
        if (!Files.exists(out.resolve(MANIFEST))) {
            throw new RunFolderException(out,
                    "exists and is not the folder of a run (it has no %s): not overwritten"
                    .formatted(MANIFEST));
        }
    }

    /** A stranger's folder is neither written to nor emptied. */
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

    /** Everything directly in the folder but the lock. */
    private static List<Path> work(Path partial) throws IOException {
        Set<Path> lock = Set.of(partial.resolve(FolderLock.LOCK), partial.resolve(FolderLock.OWNER));
        return FolderTree.members(partial).stream().filter(member -> !lock.contains(member)).toList();
    }

    private static void takeOver(Path partial, boolean resume, boolean overwrite) throws IOException {
        if (!resume && !overwrite) {
            throw new RunFolderException(partial,
                    "holds an interrupted run; continue it with --resume, or drop it with --overwrite");
        }
        for (Path member : work(partial)) {
            if (!resume) {
                FolderTree.delete(member);
                continue;
            }
            for (Path path : FolderTree.everything(member)) {
                // What a writer that was killed had not yet renamed.
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
            throw new IllegalArgumentException(name + " is not inside the folder of the run");
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
            throw new IllegalStateException(partial + ": the run is over");
        }
    }

    /** Also a link that leads nowhere. */
    private static boolean exists(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }
}
