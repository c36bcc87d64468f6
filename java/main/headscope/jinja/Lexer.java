package headscope.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, as Jinja2 does with trim_blocks (removes the line feed after a tag or a comment) and
 * lstrip_blocks (removes the white space between the beginning of the line and a tag or a comment).
 */
final class Lexer {
    private static final Pattern RAW = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(?:-%\\}\\s*|%\\})", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern END_RAW =
            Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}\\n?)", Pattern.UNICODE_CHARACTER_CLASS);
    private static final String DIGITS = "\\d(?:_?\\d)*";
    private static final Pattern FLOAT = Pattern.compile(
            "(?<!\\.)%1$s(?:(?:\\.%1$s)?[eE][+-]?%1$s|\\.%1$s)".formatted(DIGITS));
    private static final Pattern INTEGER = Pattern.compile(
            "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\\da-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
    private static final Pattern NAME = Pattern.compile("[_\\p{L}][_\\p{L}\\p{Mn}\\p{Mc}\\p{Nd}]*");

    /** Longer ones first. */
    private static final List<String> OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%",
            "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;
    private int counted;

    private Lexer(String source) {
        String lines = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
    }

    static List<Token> tokens(String source) {
        Lexer lexer = new Lexer(source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (position < source.length()) {
            int next = nextTag();
            if (next < 0) {
                add(Token.Kind.DATA, source.substring(position));
                position = source.length();
                break;
            }
            Matcher raw = at(RAW, next);
            if (raw.lookingAt()) {
                data(next, raw.group(1), true);
                position = raw.end();
                raw();
                continue;
            }
            char kind = source.charAt(next + 1);
            String sign = next + 2 < source.length() && "-+".indexOf(source.charAt(next + 2)) >= 0
                    ? source.substring(next + 2, next + 3) : "";
            data(next, sign, kind != '{');
            position = next + 2 + sign.length();
            switch (kind) {
                case '#' -> comment();
                case '{' -> {
                    add(Token.Kind.PRINT, "");
                    tag(Token.Kind.PRINT_END, "}}", false);
                }
                default -> {
                    add(Token.Kind.TAG, "");
                    tag(Token.Kind.TAG_END, "%}", true);
                }
            }
        }
        add(Token.Kind.END, "");
    }

    private int nextTag() {
        for (int i = position; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /** The text before a tag. */
    private void data(int end, String sign, boolean block) {
        String text = source.substring(position, end);
        if (sign.equals("-")) {
            text = Strings.stripTrailing(text);
        } else if (sign.isEmpty() && block) {
            int start = text.lastIndexOf('\n') + 1;
            boolean beginsLine = start > 0 || position == 0 || source.charAt(position - 1) == '\n';
            if (beginsLine && Strings.isSpace(text.substring(start))) {
                text = text.substring(0, start);
            }
        }
        if (!text.isEmpty()) {
            add(Token.Kind.DATA, text);
        }
    }

    private void raw() {
        Matcher end = END_RAW.matcher(source);
        if (!end.find(position)) {
            throw fault("{% raw %} is not closed");
        }
        data(end.start(), end.group(1), true);
        position = end.end();
    }

    private void comment() {
        int end = source.indexOf("#}", position);
        if (end < 0) {
            throw fault("a comment is not closed");
        }
        char sign = end > position ? source.charAt(end - 1) : ' ';
        position = end + 2;
        afterTag(sign, true);
    }

    /** Skips what a tag's end takes with it. */
    private void afterTag(char sign, boolean block) {
        if (sign == '-') {
            while (position < source.length() && Strings.isSpace(source.charAt(position))) {
                position++;
            }
        } else if (sign != '+' && block && position < source.length() && source.charAt(position) == '\n') {
            position++;
        }
    }

    private void tag(Token.Kind endKind, String end, boolean block) {
        Deque<String> open = new ArrayDeque<>();
        while (true) {
            while (position < source.length() && Strings.isSpace(source.charAt(position))) {
                position++;
            }
            if (position >= source.length()) {
                throw fault("a tag is not closed");
            }
            char first = source.charAt(position);
            boolean signed = first == '-' || block && first == '+';
            if (open.isEmpty() && source.startsWith(end, position + (signed ? 1 : 0))) {
                add(endKind, "");
                position += end.length() + (signed ? 1 : 0);
                afterTag(signed ? first : ' ', block);
                return;
            }
            if (!word()) {
                operator(open);
            }
        }
    }

    /** Reads a number, a name or a string. */
    private boolean word() {
        char first = source.charAt(position);
        if (first == '"' || first == '\'') {
            string(first);
            return true;
        }
        return number(Token.Kind.FLOAT, FLOAT) || number(Token.Kind.INTEGER, INTEGER) || word(Token.Kind.NAME, NAME, "");
    }

    private boolean number(Token.Kind kind, Pattern pattern) {
        return word(kind, pattern, "_");
    }

    private boolean word(Token.Kind kind, Pattern pattern, String without) {
        Matcher word = at(pattern, position);
        if (!word.lookingAt()) {
            return false;
        }
        add(kind, without.isEmpty() ? word.group() : word.group().replace(without, ""));
        position = word.end();
        return true;
    }

    private void string(char quote) {
        int end = position + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw fault("a string is not closed");
        }
        add(Token.Kind.STRING, unescape(source.substring(position + 1, end)));
        position = end + 1;
    }

    /** Python's escapes; unknown ones stay as they are. */
    private String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                plain.append(c);
                continue;
            }
            char escape = text.charAt(++i);
            switch (escape) {
                case '\n' -> {} // a line that continues
                case 'n' -> plain.append('\n');
                case 't' -> plain.append('\t');
                case 'r' -> plain.append('\r');
                case 'a' -> plain.append('\u0007');
                case 'b' -> plain.append('\b');
                case 'f' -> plain.append('\f');
                case 'v' -> plain.append('\u000b');
                case '\\', '\'', '"' -> plain.append(escape);
                case 'x', 'u', 'U' -> {
                    int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
                    plain.appendCodePoint(code(text, i + 1, i + 1 + digits, 16));
                    i += digits;
                }
                case 'N' -> throw fault("the escape \\N in a string is not supported");
                default -> {
                    int end = i;
                    while (end < text.length() && end < i + 3 && text.charAt(end) >= '0' && text.charAt(end) <= '7') {
                        end++;
                    }
                    if (escape > '~') {
                        throw fault("a backslash before \"%s\" in a string is not supported".formatted(escape));
                    } else if (end == i) {
                        plain.append('\\').append(escape);
                    } else {
                        plain.appendCodePoint(code(text, i, end, 8));
                        i = end - 1;
                    }
                }
            }
        }
        return plain.toString();
    }

    private int code(String text, int start, int end, int radix) {
        try {
            int code = Integer.parseInt(text.substring(start, end), radix);
            if (Character.isValidCodePoint(code) && text.charAt(start) != '+') {
                return code;
            }
        } catch (NumberFormatException | IndexOutOfBoundsException invalid) {
            // reported below
        }
        throw fault("a string contains an invalid escape");
    }

    private void operator(Deque<String> open) {
        String operator = OPERATORS.stream().filter(one -> source.startsWith(one, position)).findFirst()
                .orElseThrow(() -> fault("unexpected character \"%s\"".formatted(Character.toString(source.codePointAt(position)))));
        switch (operator) {
            case "(" -> open.push(")");
            case "[" -> open.push("]");
            case "{" -> open.push("}");
            case ")", "]", "}" -> {
                if (open.isEmpty() || !open.pop().equals(operator)) {
                    throw fault("unexpected \"%s\"".formatted(operator));
                }
            }
            default -> {}
        }
        add(Token.Kind.OPERATOR, operator);
        position += operator.length();
    }

    private Matcher at(Pattern pattern, int start) {
        return pattern.matcher(source).region(start, source.length()).useTransparentBounds(true);
    }

    private int line() {
        for (; counted < Math.min(position, source.length()); counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
            }
        }
        return line;
    }

    private void add(Token.Kind kind, String text) {
        tokens.add(new Token(kind, text, line()));
    }

    private TemplateException fault(String message) {
        return new TemplateException(line(), message);
    }
}
