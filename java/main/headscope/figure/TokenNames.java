package headscope.figure;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Readable names of tokens: without the tokenizer's mark for a preceding space, and decoded if the tokenizer writes
 * bytes as printable characters (Radford et al. 2019; the space is U+0120).
 */
final class TokenNames {
    private static final char WORD_START = '\u2581';
    private static final String SPACE = "\u2423";

    private TokenNames() {}

    static List<String> of(List<String> tokens) {
        boolean bytes = areBytes(tokens);
        return tokens.stream().map(token -> name(bytes && !special(token) ? text(token) : token)).toList();
    }

    private static String name(String token) {
        String spaced = token.replace(WORD_START, ' ');
        String word = spaced.startsWith(" ") ? spaced.substring(1) : spaced;
        String shown = word.isBlank() ? spaced.replace(" ", SPACE) : word;
        return shown.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t");
    }

    /** Whether all characters stand for bytes and those are valid UTF-8. */
    private static boolean areBytes(List<String> tokens) {
        String all = String.join("", tokens.stream().filter(token -> !special(token)).toList());
        return all.chars().allMatch(character -> toByte(character) >= 0) && decoded(all).isPresent();
    }

    private static boolean special(String token) {
        return token.startsWith("<") && token.endsWith(">") && token.length() > 2;
    }

    /** A token's text, or its bytes in hexadecimal if it holds only a part of a character. */
    private static String text(String token) {
        return decoded(token).orElseGet(
                () -> "\\x" + HexFormat.ofDelimiter("\\x").withUpperCase().formatHex(toBytes(token)));
    }

    private static Optional<String> decoded(String token) {
        try {
            return Optional.of(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(toBytes(token))).toString());
        } catch (CharacterCodingException _) {
            return Optional.empty();
        }
    }

    private static byte[] toBytes(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) toByte(token.charAt(i));
        }
        return bytes;
    }

    /** The byte of a character, or -1. Printable bytes stand for themselves, U+0100 and up for the others. */
    private static int toByte(int character) {
        if (printable(character)) {
            return character;
        }
        int others = character - 0x100;
        for (int value = 0; value < 0x100 && others >= 0; value++) {
            if (!printable(value) && others-- == 0) {
                return value;
            }
        }
        return -1;
    }

    private static boolean printable(int value) {
        return value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xFF && value != 0xAD;
    }
}
