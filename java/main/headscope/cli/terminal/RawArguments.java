package headscope.cli.terminal;

import headscope.analysis.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The bytes of the command line: the JVM replaces those that are not UTF-8 by U+FFFD without notice. */
public final class RawArguments {
    private static final Path BYTES = Path.of("/proc/self/cmdline");
    private static final String REPLACEMENT = "\ufffd";

    private RawArguments() {}

    /** @throws InputException if an argument contains U+FFFD because its bytes are not UTF-8 */
    public static void requireUtf8(List<String> arguments) {
        if (arguments.stream().noneMatch(argument -> argument.contains(REPLACEMENT)) || !Files.exists(BYTES)) {
            return;
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(BYTES)));
        } catch (CharacterCodingException notUtf8) {
            throw new InputException("an argument is not UTF-8: use a UTF-8 terminal, or give texts in a file");
        } catch (IOException unreadable) {
            // the arguments are used as the JVM decoded them
        }
    }
}
