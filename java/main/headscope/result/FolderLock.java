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
 * One run at a time in a folder, across processes and inside one. The system's lock ends with the process, so
 * a crash leaves none behind. It belongs to the process, though, and ends as soon as the process closes
 * <em>any</em> handle to the file; hence a second file that says which process holds it, looked at first.
 */
final class FolderLock {
    static final String LOCK = ".headscope-lock";
    static final String OWNER = ".headscope-owner";

    private static final String THIS_PROCESS = UUID.randomUUID().toString();

    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws RunFolderException when another run holds the folder */
    static FolderLock take(Path folder) throws IOException {
        synchronized (FolderLock.class) {
            Path owner = folder.resolve(OWNER);
            if (ownerOf(owner).equals(THIS_PROCESS)) {
                throw held(folder);
            }
            FileChannel channel = FileChannel.open(folder.resolve(LOCK),
                    StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                // The name is gone when the other run has just committed: then this locks nothing.
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
     * Lets go.
     *
     * @param folder where the folder is by now
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
        return new RunFolderException(folder, "is being written by another run; wait for it, or choose another --out");
    }
}
