package headscope.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A text file that appears whole or not at all. */
final class WholeFile {
    private WholeFile() {}

    static void write(Path file, String text) throws IOException {
        Path target = file.toAbsolutePath();
        Path partial = target.resolveSibling(
                ".%s.%d.part".formatted(target.getFileName(), ProcessHandle.current().pid()));
        try {
            Files.writeString(partial, text);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw new IOException(file + ": cannot be written: " + failure.getMessage(), failure);
        } finally {
            Files.deleteIfExists(partial);
        }
    }
}
