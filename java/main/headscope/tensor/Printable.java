package headscope.tensor;

/** Text from files, file names and options, made safe to print: without terminal escapes and line breaks. */
public final class Printable {
    private static final int MAX_QUOTED = 100;
    private static final String ELLIPSIS = " ... ";
    private static final int ZERO_WIDTH_NON_JOINER = 0x200c;
    private static final int ZERO_WIDTH_JOINER = 0x200d;

    private Printable() {}

    /** A name for use in a message: quoted, escaped, truncated. */
    public static String quote(String name) {
        String line = line(name);
        return '"' + (line.length() > MAX_QUOTED ? line.substring(0, cut(line, MAX_QUOTED)) + "..." : line) + '"';
    }

    /** The text in one line, with control, formatting and unpaired surrogate characters as escapes such as \u001b. */
    public static String line(String text) {
        return escape(text, "");
    }

    /** The text in one line of at most {@code limit} characters; a longer one loses its middle. */
    public static String line(String text, int limit) {
        String line = line(text);
        if (line.length() <= limit) {
            return line;
        }
        int tail = line.length() - (limit - ELLIPSIS.length()) / 3;
        int head = limit - ELLIPSIS.length() - (line.length() - tail);
        return line.substring(0, cut(line, head)) + ELLIPSIS
                + line.substring(Character.isLowSurrogate(line.charAt(tail)) ? tail + 1 : tail);
    }

    /** The text with its tabs and line feeds; other control and formatting characters are escaped. */
    public static String lines(String text) {
        return escape(text, "\n\t");
    }

    private static String escape(String text, String kept) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(point -> {
            if (isPlain(point) || kept.indexOf(point) >= 0) {
                escaped.appendCodePoint(point);
            } else {
                for (char unit : Character.toChars(point)) {
                    escaped.append("\\u%04x".formatted((int) unit));
                }
            }
        });
        return escaped.toString();
    }

    /** Joiners are part of emoji and of Indic and Persian words; other formatting characters reorder or hide text. */
    private static boolean isPlain(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> false;
            case Character.FORMAT -> point == ZERO_WIDTH_NON_JOINER || point == ZERO_WIDTH_JOINER;
            default -> true;
        };
    }

    /** A length of at most {@code length} that does not divide a surrogate pair. */
    private static int cut(String line, int length) {
        return Character.isHighSurrogate(line.charAt(length - 1)) ? length - 1 : length;
    }
}
