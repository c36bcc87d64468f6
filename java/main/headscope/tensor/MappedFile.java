package headscope.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * Reads from a memory-mapped file that another program may truncate meanwhile. Bytes behind the new end are then zero up
 * to the end of their page; a read of later pages raises SIGBUS, which the JVM turns into an {@link InternalError}.
 */
final class MappedFile {
    private MappedFile() {}

    /**
     * Runs a read.
     *
     * @param bytes size of the file when it was mapped
     * @throws ModelFormatException if the file is shorter after the read, so that what was read may be wrong
     */
    static <T> T read(Path file, long bytes, Supplier<T> read) {
        try {
            T value = read.get();
            requireWhole(file, bytes);
            return value;
        } catch (InternalError fault) {
            requireWhole(file, bytes);
            throw fault;
        }
    }

    private static void requireWhole(Path file, long bytes) {
        try {
            long now = Files.size(file);
            if (now < bytes) {
                throw new ModelFormatException(file,
                        "shrank from %d to %d bytes while it was being read; restore the file and try again".formatted(bytes, now));
            }
        } catch (IOException failure) {
            throw new ModelFormatException(file, "cannot be read any more: " + DiskFailure.reason(failure));
        }
    }
}
