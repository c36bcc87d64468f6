package headscope.result;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Admits one run at a time to a folder, across processes and within one. The lock of the operating system ends with the
 * process, so a crash leaves none behind. But it belongs to the process and ends as soon as the process closes
 * <em>any</em> handle to the file; hence a second file, checked first, that names the process that holds the lock.
 */
final class FolderLock {
    static final String LOCK = ".headscope-lock";
    static final String OWNER = ".headscope-owner";

    private static final String THIS_PROCESS = UUID.randomUUID().toString();

    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * @throws RunFolderException    if another run holds the folder
     * @throws NoSuchFileException if the folder has been deleted by a run that has just finished
     */
    static FolderLock take(Path folder) throws IOException {
        synchronized (FolderLock.class) {
            Path owner = folder.resolve(OWNER);
            Path file = folder.resolve(LOCK);
            if (ownerOf(owner).equals(THIS_PROCESS)) {
                throw held(folder);
            }
            create(file);
            Object before = identity(file);
            FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
            try {
                // a run that finishes deletes the file: a lock on a file without this name locks nothing
                if (channel.tryLock() == null || !identity(file).equals(before)) {
                    throw held(folder);
                }
            } catch (OverlappingFileLockException otherLoader) {
                channel.close();
                throw held(folder);
            } catch (Throwable failure) {
                channel.close();
                throw failure;
            }
            FolderLock lock = new FolderLock(channel);
            try {
                Files.writeString(owner, THIS_PROCESS);
                return lock;
            } catch (IOException failure) {
                if (others(folder).isEmpty()) {
                    lock.deleteWith(folder);
                } else {
                    lock.release(folder);
                }
                throw failure;
            }
        }
    }

    /** The members of a folder except the files of the lock. */
    static List<Path> others(Path folder) throws IOException {
        Set<Path> files = Set.of(folder.resolve(LOCK), folder.resolve(OWNER));
        return FolderTree.members(folder).stream().filter(member -> !files.contains(member)).toList();
    }

    /** Releases the lock and keeps the folder. */
    void release(Path folder) throws IOException {
        synchronized (FolderLock.class) {
            try (channel) {
                Files.deleteIfExists(folder.resolve(OWNER));
            }
        }
    }

    /** Releases the lock and deletes the folder, which contains nothing else. */
    void deleteWith(Path folder) throws IOException {
        synchronized (FolderLock.class) {
            try (channel) {
                Files.deleteIfExists(folder.resolve(OWNER));
                Files.deleteIfExists(folder.resolve(LOCK));
            }
            try {
                Files.deleteIfExists(folder);
            } catch (DirectoryNotEmptyException nextRun) {
                // another run has begun in it since the lock was released
            }
        }
    }

    private static void create(Path file) throws IOException {
        try {
            Files.createFile(file);
        } catch (FileAlreadyExistsException earlier) {
            // of another run, or left by a crash
        }
    }

    /** Device and inode. */
    private static Object identity(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private static String ownerOf(Path owner) throws IOException {
        try {
            return Files.readString(owner);
        } catch (NoSuchFileException nobody) {
            return "";
        }
    }

    private static RunFolderException held(Path folder) {
        return new RunFolderException(folder, "is being written by another run; wait for it to finish, or choose another --out");
    }
}
