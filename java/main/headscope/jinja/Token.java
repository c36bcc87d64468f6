package headscope.jinja;

/**
 * A part of a template.
 *
 * @param text of strings without quotes and escapes; of numbers without underscores
 * @param line from 1
 */
record Token(Kind kind, String text, int line) {
    /** What it is. */
    enum Kind {
        DATA,
        PRINT,
        PRINT_END,
        TAG,
        TAG_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    /** For messages. */
    String describe() {
        return switch (kind) {
            case DATA -> "text";
            case PRINT -> "{{";
            case PRINT_END -> "}}";
            case TAG -> "{%";
            case TAG_END -> "%}";
            case END -> "the end of the template";
            default -> "\"" + text + "\"";
        };
    }
}
