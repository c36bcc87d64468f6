package headscope.cli;

import headscope.tensor.DiskFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes a text file atomically: it appears complete or not at all. */
final class AtomicFile {
    private AtomicFile() {}

    static void write(Path file, String text) throws IOException {
        Path target = file.toAbsolutePath();
        Path partial = target.resolveSibling(
                ".%s.%d.part".formatted(target.getFileName(), ProcessHandle.current().pid()));
        try {
            Files.writeString(partial, text);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw new IOException(file + ": cannot be written: " + DiskFailure.reason(failure), failure);
        } finally {
            Files.deleteIfExists(partial);
        }
    }
}
