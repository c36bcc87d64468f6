package headscope.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Writes a temporary file and renames it, so that a file is complete or absent. */
public final class AtomicFile {
    private AtomicFile() {}

    /** @throws UncheckedIOException if the file cannot be written; the message is one line with its name */
    public static void write(Path file, byte[] bytes) {
        Path target = file.toAbsolutePath();
        try {
            Path partial = partial(target);
            try {
                try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
                    ByteBuffer rest = ByteBuffer.wrap(bytes);
                    while (rest.hasRemaining()) {
                        channel.write(rest);
                    }
                    channel.force(true);
                }
                Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException problem) {
            throw failed(file, problem);
        }
    }

    /**
     * Checks before long work that its result can be written; leaves nothing.
     *
     * @throws UncheckedIOException as {@link #write} does
     */
    public static void requireWritable(Path file) {
        Path target = file.toAbsolutePath();
        try {
            if (Files.exists(target)) {
                InputFile.requireRegular(target);
            }
            Path partial = partial(target);
            try {
                Files.newByteChannel(partial, StandardOpenOption.WRITE, StandardOpenOption.CREATE).close();
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException problem) {
            throw failed(file, problem);
        }
    }

    private static Path partial(Path target) {
        return target.resolveSibling(".%s.%d.part".formatted(target.getFileName(), ProcessHandle.current().pid()));
    }

    /** The text in UTF-8. */
    public static void write(Path file, String text) {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /** The failure to write a file, with a message for the user. */
    public static UncheckedIOException failed(Path file, IOException problem) {
        String reason = problem instanceof NoSuchFileException ? "there is no such folder" : DiskFailure.reason(problem);
        return new UncheckedIOException("%s: cannot be written: %s".formatted(file, reason), problem);
    }
}
