package headscope.result;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Readable names of tokens: without the tokenizer's mark for a preceding space, and decoded if the tokenizer writes
 * bytes as printable characters (Radford et al. 2019; the space is U+0120).
 */
public final class TokenNames {
    private static final char WORD_START = '\u2581';
    private static final String SPACE = "\u2423";
    private static final String DOTTED_CIRCLE = "\u25cc";

    private TokenNames() {}

    /** @param tokens of one text from left to right, or {@link TokenTable#DIFFERS} where averaged texts differ */
    public static List<String> of(List<String> tokens) {
        boolean bytes = areBytes(tokens);
        return tokens.stream().map(token -> name(bytes && !special(token) ? text(token) : token)).toList();
    }

    /** The name of a token that holds only a part of a character: its bytes in hexadecimal, if it stands for bytes. */
    public static String ofPiece(String token) {
        return !special(token) && token.chars().allMatch(character -> toByte(character) >= 0) ? text(token) : token;
    }

    private static String name(String token) {
        String spaced = token.replace(WORD_START, ' ');
        String word = spaced.startsWith(" ") ? spaced.substring(1) : spaced;
        String shown = word.isBlank() ? spaced.replace(" ", SPACE) : word;
        return visible(shown.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"));
    }

    /** Code points if all characters are invisible, such as U+200B; combining marks on a dotted circle. */
    private static String visible(String name) {
        if (!name.isEmpty() && name.codePoints().allMatch(TokenNames::isInvisible)) {
            return name.codePoints().mapToObj("U+%04X"::formatted).collect(Collectors.joining(" "));
        }
        return !name.isEmpty() && isMark(name.codePointAt(0)) ? DOTTED_CIRCLE + name : name;
    }

    private static boolean isInvisible(int character) {
        int type = Character.getType(character);
        boolean variationSelector = character >= 0xFE00 && character <= 0xFE0F || character >= 0xE0100 && character <= 0xE01EF;
        return variationSelector || type == Character.FORMAT || type == Character.CONTROL;
    }

    private static boolean isMark(int character) {
        int type = Character.getType(character);
        return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK;
    }

    /** Whether all characters stand for bytes and those are valid UTF-8, except for characters cut by a difference. */
    private static boolean areBytes(List<String> tokens) {
        List<StringBuilder> parts = new ArrayList<>(List.of(new StringBuilder()));
        for (String token : tokens) {
            if (token.equals(TokenTable.DIFFERS)) {
                parts.add(new StringBuilder());
            } else if (!special(token)) {
                parts.getLast().append(token);
            }
        }
        return IntStream.range(0, parts.size())
                .allMatch(i -> areBytes(parts.get(i).toString(), i > 0, i < parts.size() - 1));
    }

    /** @param cutBefore whether the first character may lack its first bytes; {@code cutAfter}: the last its last */
    private static boolean areBytes(String part, boolean cutBefore, boolean cutAfter) {
        if (!part.chars().allMatch(character -> toByte(character) >= 0)) {
            return false;
        }
        ByteBuffer bytes = ByteBuffer.wrap(toBytes(part));
        while (cutBefore && bytes.hasRemaining() && bytes.position() < 3 && (bytes.get(bytes.position()) & 0xC0) == 0x80) {
            bytes.get();
        }
        return !StandardCharsets.UTF_8.newDecoder()
                .decode(bytes, CharBuffer.allocate(part.length()), !cutAfter).isError();
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
