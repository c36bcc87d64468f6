package headscope.result;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

    /** @throws RunFolderException if another run holds the folder */
    static FolderLock take(Path folder) throws IOException {
        synchronized (FolderLock.class) {
            Path owner = folder.resolve(OWNER);
            if (ownerOf(owner).equals(THIS_PROCESS)) {
                throw held(folder);
            }
            FileChannel channel = FileChannel.open(folder.resolve(LOCK),
                    StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                // the name is gone if the other run has just committed: then this locks nothing
                if (channel.tryLock() == null || !Files.exists(folder.resolve(LOCK))) {
                    throw held(folder);
                }
                Files.writeString(owner, THIS_PROCESS);
                return new FolderLock(channel);
            } catch (OverlappingFileLockException otherLoader) {
                channel.close();
                throw held(folder);
            } catch (Throwable failure) {
                channel.close();
                throw failure;
            }
        }
    }

    /**
     * Releases the lock.
     *
     * @param folder the current path of the folder
     */
    void release(Path folder) throws IOException {
        synchronized (FolderLock.class) {
            try (channel) {
                Files.deleteIfExists(folder.resolve(OWNER));
            }
        }
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
