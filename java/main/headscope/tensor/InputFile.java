package headscope.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;

/** Input files: regular files of limited size that are not pointers of Git LFS. */
public final class InputFile {
    public static final long MIB = 1 << 20;

    /** Maximum size of a pointer in bytes. */
    static final long MAX_POINTER = 1024;

    /** The first bytes of a pointer (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
    private static final byte[] POINTER =
            "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

    /** Input that cannot be used. The message continues a sentence that begins with the file's name. */
    static final class Unusable extends IOException {
        private static final long serialVersionUID = 1L;

        Unusable(String rule) {
            super(rule);
        }
    }

    private InputFile() {}

    /**
     * All bytes of a file.
     *
     * @param limit maximum size in bytes
     * @throws IOException whose {@link #fault} names the reason
     */
    public static byte[] read(Path file, long limit) throws IOException {
        requireRegular(file);
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes((int) limit + 1);
            if (bytes.length > limit) {
                throw new Unusable("is over the limit of %d MiB".formatted(limit / MIB));
            }
            requireNoPointer(bytes);
            return bytes;
        }
    }

    /**
     * Checks a file that another library reads.
     *
     * @param limit maximum size in bytes
     * @throws IOException whose {@link #fault} names the reason
     */
    public static void requireUsable(Path file, long limit) throws IOException {
        requireRegular(file);
        if (Files.size(file) > limit) {
            throw new Unusable("is over the limit of %d MiB".formatted(limit / MIB));
        }
        try (InputStream stream = Files.newInputStream(file)) {
            requireNoPointer(stream.readNBytes(POINTER.length));
        }
    }

    /** @throws IOException whose {@link #fault} names the kind of file, if it is not a regular file */
    public static void requireRegular(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (attributes.isDirectory()) {
            throw new Unusable("is a folder, not a file");
        }
        if (!attributes.isRegularFile()) {
            throw new Unusable("is not a regular file but a pipe, a socket or a device");
        }
    }

    /** @throws IOException if a file with these first bytes is a pointer of Git LFS */
    public static void requireNoPointer(byte[] first) throws IOException {
        if (first.length >= POINTER.length && Arrays.equals(first, 0, POINTER.length, POINTER, 0, POINTER.length)) {
            throw new Unusable("is a Git LFS pointer, not the file itself; run \"git lfs pull\" in its folder, or"
                    + " download the file");
        }
    }

    /** What is wrong, in one line that continues a sentence which begins with the file's name. */
    public static String fault(IOException failure) {
        return switch (failure) {
            case Unusable e -> e.getMessage();
            case NoSuchFileException e -> "no such file";
            case CharacterCodingException e -> "is not UTF-8";
            default -> "cannot be read: " + DiskFailure.reason(failure);
        };
    }
}
