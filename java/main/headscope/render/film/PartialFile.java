package headscope.render.film;

import headscope.tensor.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The place where a film is written before it is published.
 *
 * @param target the published file
 * @param path   in the same folder
 */
record PartialFile(Path target, Path path) {
    /** @param ending of the file's name, by which a program may choose a format */
    static PartialFile of(Path target, String ending) {
        Path absolute = target.toAbsolutePath();
        return new PartialFile(target, absolute.resolveSibling(
                ".%s.%d.part%s".formatted(absolute.getFileName(), ProcessHandle.current().pid(), ending)));
    }

    void publish() {
        try {
            Files.move(path, target.toAbsolutePath(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException problem) {
            throw failed(problem);
        }
    }

    void delete() {
        try {
            Files.deleteIfExists(path);
        } catch (IOException problem) {
            throw failed(problem);
        }
    }

    UncheckedIOException failed(IOException problem) {
        return AtomicFile.failed(target, problem);
    }
}
