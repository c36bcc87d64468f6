package headscope.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The filters of Jinja2 that chat templates use, and the tojson of transformers. */
final class Filters {
    /** Jinja2's idea of a word's beginning, for the filter title. */
    private static final Pattern WORD = Pattern.compile("[^-\\s\\x1c-\\x1f({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

    private final Limits limits;
    private final Comparison comparison;
    private final Printing printing;
    private final Tests tests;
    private final Methods methods;
    private final RowFilters rows;

    Filters(Limits limits, Comparison comparison, Printing printing, Tests tests, Methods methods, Access access) {
        this.limits = limits;
        this.comparison = comparison;
        this.printing = printing;
        this.tests = tests;
        this.methods = methods;
        this.rows = new RowFilters(this, limits, comparison, tests, access);
    }

    Value apply(String name, Value value, Arguments arguments) {
        String function = "the filter " + name;
        return switch (name) {
            case "upper", "lower", "capitalize", "title", "string" -> {
                arguments.bind(function);
                yield Value.of(limits.text(converted(name, printing.text(value))));
            }
            case "trim" -> Value.of(Strings.strip(printing.text(value),
                    Methods.stripped(arguments.bind(function, "|", "chars").getFirst(), function), true, true));
            case "replace" -> {
                List<Optional<Value>> bound = arguments.bind(function, "old", "new", "|", "count");
                yield Value.of(methods.replaced(printing.text(value), printing.text(bound.get(0).orElseThrow()),
                        printing.text(bound.get(1).orElseThrow()), bound.get(2).filter(count -> !(count instanceof Value.None))));
            }
            case "indent" -> indent(Methods.string(Optional.of(value), function), arguments.bind(function, "|", "width", "first", "blank"));
            case "tojson" -> json(value, arguments.bind(function, "|", "ensure_ascii", "indent", "separators", "sort_keys"));
            case "default", "d" -> {
                List<Optional<Value>> bound = arguments.bind(function, "|", "default_value", "boolean");
                boolean empty = value instanceof Value.Undefined || isTrue(bound.get(1)) && !Comparison.isTrue(value);
                yield empty ? bound.get(0).orElse(Value.of("")) : value;
            }
            case "length", "count" -> {
                arguments.bind(function);
                yield new Value.Int(Rows.length(value));
            }
            case "abs" -> {
                arguments.bind(function);
                yield new Arithmetic(limits).sign(Arithmetic.real(value) < 0, value);
            }
            case "int" -> whole(value, arguments.bind(function, "|", "default"));
            case "float" -> real(value, arguments.bind(function, "|", "default"));
            case "join" -> joined(value, arguments.bind(function, "|", "d", "attribute"));
            case "safe" -> throw TemplateException.unsupported("the filter \"safe\" before another operation");
            default -> rows.apply(name, value, arguments);
        };
    }

    static boolean isTrue(Optional<Value> value) {
        return value.map(Comparison::isTrue).orElse(false);
    }

    private static String converted(String name, String text) {
        return switch (name) {
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> Strings.capitalize(text);
            case "title" -> title(text);
            default -> text;
        };
    }

    private static String title(String text) {
        return WORD.matcher(text).replaceAll(word -> {
            int second = word.group().offsetByCodePoints(0, 1);
            return Matcher.quoteReplacement(word.group().substring(0, second).toUpperCase(Locale.ROOT)
                    + word.group().substring(second).toLowerCase(Locale.ROOT));
        });
    }

    private Value json(Value value, List<Optional<Value>> bound) {
        if (bound.get(2).isPresent() && !(bound.get(2).get() instanceof Value.None)) {
            throw TemplateException.unsupported("the argument separators of tojson");
        }
        return Value.of(JsonText.of(value, isTrue(bound.get(0)), bound.get(1).orElse(Value.None.NONE), isTrue(bound.get(3)), limits));
    }

    /** Indents all lines but the first, and blank ones only if asked. */
    private Value indent(String text, List<Optional<Value>> bound) {
        String indent = bound.get(0).orElse(new Value.Int(4)) instanceof Value.Str string ? string.text()
                : " ".repeat(Math.clamp(bound.get(0).map(Arithmetic::whole).orElse(4L), 0, 1000));
        boolean first = isTrue(bound.get(1));
        boolean blank = isTrue(bound.get(2));
        List<String> lines = Strings.lines(text + "\n", false);
        limits.charge((long) lines.size() * indent.length() + text.length());
        StringBuilder indented = new StringBuilder(first ? indent : "");
        for (int i = 0; i < lines.size(); i++) {
            boolean filled = blank || !lines.get(i).isEmpty();
            indented.append(i == 0 ? "" : filled ? "\n" + indent : "\n").append(lines.get(i));
        }
        return Value.of(indented.toString());
    }

    private static Value whole(Value value, List<Optional<Value>> bound) {
        Value otherwise = bound.getFirst().orElse(new Value.Int(0));
        return switch (value) {
            case Value.Int number -> number;
            case Value.Bool bool -> new Value.Int(Arithmetic.whole(bool));
            case Value.Real number when !Double.isNaN(number.value()) && Math.abs(number.value()) < Long.MAX_VALUE ->
                new Value.Int((long) number.value());
            case Value.Str string -> {
                String text = Strings.strip(string.text(), Strings::isSpace, true, true);
                if (text.matches("[+-]?[0-9]{1,18}")) {
                    yield new Value.Int(Long.parseLong(text));
                } else if (text.matches("[+-]?[0-9]{1,15}\\.[0-9]*")) {
                    yield new Value.Int((long) Double.parseDouble(text));
                } else if (text.isEmpty() || Character.isLetter(text.charAt(0)) && !text.matches("(?i)nan|inf(inity)?")) {
                    yield otherwise;
                }
                throw TemplateException.unsupported("the filter int of " + text);
            }
            case Value.Undefined undefined -> throw new TemplateException(undefined.fault());
            default -> otherwise;
        };
    }

    private static Value real(Value value, List<Optional<Value>> bound) {
        Value otherwise = bound.getFirst().orElse(new Value.Real(0));
        return switch (value) {
            case Value.Int _, Value.Bool _, Value.Real _ -> new Value.Real(Arithmetic.real(value));
            case Value.Str string -> {
                String text = Strings.strip(string.text(), Strings::isSpace, true, true);
                if (text.matches("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?")) {
                    yield new Value.Real(Double.parseDouble(text));
                } else if (text.isEmpty() || Character.isLetter(text.charAt(0)) && !text.matches("(?i)nan|inf(inity)?")) {
                    yield otherwise;
                }
                throw TemplateException.unsupported("the filter float of " + text);
            }
            case Value.Undefined undefined -> throw new TemplateException(undefined.fault());
            default -> otherwise;
        };
    }

    private Value joined(Value value, List<Optional<Value>> bound) {
        String separator = printing.text(bound.get(0).orElse(Value.of("")));
        List<String> parts = new ArrayList<>();
        Iterator<Value> all = Rows.iterator(value);
        while (all.hasNext()) {
            Value one = all.next();
            parts.add(limits.text(printing.text(bound.get(1).map(attribute -> rows.attribute(one, attribute)).orElse(one))));
            limits.charge(separator.length());
        }
        return Value.of(String.join(separator, parts));
    }
}
