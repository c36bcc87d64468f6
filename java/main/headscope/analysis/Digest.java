package headscope.analysis;

import headscope.tensor.DiskFailure;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 digests in hexadecimal, which identify the input of a run. */
public final class Digest {
    private Digest() {}

    public static String of(byte[] bytes) {
        return HexFormat.of().formatHex(sha256().digest(bytes));
    }

    /** The id of a run: twelve digits of the digest of what decides its numbers. */
    public static String id(String decisive) {
        return of(decisive.getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }

    /**
     * Digest of the concatenated files.
     *
     * @throws ModelFormatException if a file cannot be read
     */
    public static String of(List<Path> files) {
        MessageDigest digest = sha256();
        byte[] block = new byte[1 << 20];
        for (Path file : files) {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                throw new ModelFormatException(file, "is not a regular file");
            }
            try (InputStream in = Files.newInputStream(file)) {
                for (int count = in.read(block); count > 0; count = in.read(block)) {
                    digest.update(block, 0, count);
                }
            } catch (IOException failure) {
                throw new ModelFormatException(file, "cannot be read: " + DiskFailure.reason(failure));
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException every) {
            throw new AssertionError("every JDK has SHA-256", every);
        }
    }
}
