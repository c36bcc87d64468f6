package headscope.figure;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Tokens as a reader expects them: without the mark of the space before a word, and as text where the tokenizer
 * writes bytes (Radford et al. 2019: each byte is a printable character, the space U+0120).
 */
final class TokenNames {
    private static final char WORD = '\u2581';
    private static final String SPACE = "\u2423";

    private TokenNames() {}

    static List<String> of(List<String> tokens) {
        boolean bytes = areBytes(tokens);
        return tokens.stream().map(token -> name(bytes && !special(token) ? text(token) : token)).toList();
    }

    private static String name(String token) {
        String spaced = token.replace(WORD, ' ');
        String word = spaced.startsWith(" ") ? spaced.substring(1) : spaced;
        String shown = word.isBlank() ? spaced.replace(" ", SPACE) : word;
        return shown.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t");
    }

    /** Whether all tokens are bytes, and their text then is one. */
    private static boolean areBytes(List<String> tokens) {
        String all = String.join("", tokens.stream().filter(token -> !special(token)).toList());
        return all.chars().allMatch(character -> toByte(character) >= 0) && decoded(all).isPresent();
    }

    private static boolean special(String token) {
        return token.startsWith("<") && token.endsWith(">") && token.length() > 2;
    }

    /** A token's text; its bytes, where it has only a part of a character. */
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

    /** The byte that a character stands for, or -1: printable ones stand for themselves, U+0100 on for the others. */
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
