package headscope.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Values as text, as Python's str and repr write them. */
final class Printing {
    private final Limits limits;

    Printing(Limits limits) {
        this.limits = limits;
    }

    String text(Value value) {
        return switch (value) {
            case Value.Str string -> string.text();
            case Value.Undefined _ -> "";
            default -> repr(value);
        };
    }

    /** As in a list. */
    String repr(Value value) {
        return limits.text(switch (value) {
            case Value.Undefined _ -> "Undefined";
            case Value.None _ -> "None";
            case Value.Bool bool -> bool.value() ? "True" : "False";
            case Value.Int number -> Long.toString(number.value());
            case Value.Real number -> real(number.value());
            case Value.Str string -> quoted(string.text());
            case Value.Row row when row.kind() == Value.Row.Kind.LIST -> "[" + joined(row.values()) + "]";
            case Value.Row row when row.kind() == Value.Row.Kind.TUPLE ->
                "(" + joined(row.values()) + (row.values().size() == 1 ? ",)" : ")");
            case Value.Dict dict -> dict.entries().entrySet().stream().map(this::entry).collect(Collectors.joining(", ", "{", "}"));
            default -> throw TemplateException.unsupported("printing a %s, without |list or |join,".formatted(value.type()));
        });
    }

    private String joined(List<Value> values) {
        return values.stream().map(this::repr).collect(Collectors.joining(", "));
    }

    private String entry(Map.Entry<Value, Value> entry) {
        return repr(entry.getKey()) + ": " + repr(entry.getValue());
    }

    /** The shortest digits that give the same number; an exponent below 1e-4 and from 1e16. */
    static String real(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = shortest(value);
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = shortest.unscaledValue().abs().toString();
        return "%s%s%se%s%02d".formatted(value < 0 ? "-" : "", digits.charAt(0),
                digits.length() > 1 ? "." + digits.substring(1) : "", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    /** Java gives at least two digits. */
    private static BigDecimal shortest(double value) {
        BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        BigDecimal one = digits.round(new MathContext(1));
        return one.doubleValue() == value ? one : digits;
    }

    private static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> {
            if (c == quote || c == '\\') {
                quoted.append('\\').append((char) c);
            } else if (c == '\n' || c == '\r' || c == '\t') {
                quoted.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            } else if (isPrintable(c)) {
                quoted.appendCodePoint(c);
            } else {
                quoted.append(c < 0x100 ? "\\x%02x".formatted(c) : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c));
            }
        });
        return quoted.append(quote).toString();
    }

    private static boolean isPrintable(int c) {
        return c == ' ' || switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }
}
