package headscope.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The methods of Python's strings, dicts and lists. */
final class Methods {
    private static final Set<String> OF_STRINGS = Set.of("capitalize", "count", "endswith", "find", "index", "isalnum",
            "isalpha", "isdigit", "islower", "isspace", "isupper", "join", "lower", "lstrip", "partition", "removeprefix",
            "removesuffix", "replace", "rfind", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
            "title", "upper");
    private static final Set<String> OF_DICTS = Set.of("copy", "get", "items", "keys", "values");
    private static final Set<String> OF_LISTS = Set.of("count", "index");

    private final Limits limits;
    private final Comparison comparison;

    Methods(Limits limits, Comparison comparison) {
        this.limits = limits;
        this.comparison = comparison;
    }

    Optional<Value> find(Value target, String name) {
        return switch (target) {
            case Value.Str string when OF_STRINGS.contains(name) ->
                method("str." + name, arguments -> call(name, limits.text(string.text()), arguments));
            case Value.Dict dict when OF_DICTS.contains(name) -> method("dict." + name, arguments -> call(name, dict, arguments));
            case Value.Row row when row.kind().compareTo(Value.Row.Kind.TUPLE) <= 0 && OF_LISTS.contains(name) ->
                method("list." + name, arguments -> call(name, row, arguments));
            default -> Optional.empty();
        };
    }

    private static Optional<Value> method(String name, Value.Function.Body body) {
        return Optional.of(new Value.Function(name, body));
    }

    private Value call(String name, Value.Dict dict, Arguments arguments) {
        if (name.equals("get")) {
            List<Optional<Value>> bound = arguments.bind("dict.get", "key", "|", "default", "/");
            Value key = bound.getFirst().orElseThrow();
            Value otherwise = bound.getLast().orElse(Value.None.NONE);
            return key instanceof Value.None || key instanceof Value.Undefined
                    ? otherwise : dict.entries().getOrDefault(Access.key(key), otherwise);
        }
        arguments.bind("dict." + name);
        limits.charge(dict.entries().size());
        return switch (name) {
            case "copy" -> dict;
            case "keys" -> new Value.Row(Value.Row.Kind.KEYS, List.copyOf(dict.entries().keySet()));
            case "values" -> new Value.Row(Value.Row.Kind.VALUES, List.copyOf(dict.entries().values()));
            default -> new Value.Row(Value.Row.Kind.ITEMS, items(dict));
        };
    }

    static List<Value> items(Value.Dict dict) {
        List<Value> items = new ArrayList<>();
        for (Map.Entry<Value, Value> entry : dict.entries().entrySet()) {
            items.add(Value.Row.tuple(entry.getKey(), entry.getValue()));
        }
        return items;
    }

    private Value call(String name, Value.Row row, Arguments arguments) {
        Value sought = arguments.bind("list." + name, "value", "/").getFirst().orElseThrow();
        long count = 0;
        for (int i = 0; i < row.values().size(); i++) {
            if (comparison.equal(row.values().get(i), sought)) {
                count++;
                if (name.equals("index")) {
                    return new Value.Int(i);
                }
            }
        }
        if (name.equals("index")) {
            throw new TemplateException("list.index: the value is not in the list");
        }
        return new Value.Int(count);
    }

    private Value call(String name, String text, Arguments arguments) {
        String function = "str." + name;
        return switch (name) {
            case "strip", "lstrip", "rstrip" -> {
                Optional<Value> stripped = arguments.bind(function, "|", "chars", "/").getFirst();
                yield Value.of(Strings.strip(text, stripped(stripped, function), !name.equals("rstrip"), !name.equals("lstrip")));
            }
            case "split", "rsplit" -> split(function, text, arguments.bind(function, "|", "sep", "maxsplit"));
            case "splitlines" -> {
                Optional<Value> keep = arguments.bind(function, "|", "keepends").getFirst();
                yield list(Strings.lines(text, keep.map(Comparison::isTrue).orElse(false)));
            }
            case "partition", "rpartition" -> {
                String separator = separator(string(arguments.bind(function, "sep", "/").getFirst(), function));
                int place = name.equals("partition") ? text.indexOf(separator) : text.lastIndexOf(separator);
                yield place >= 0
                        ? Value.Row.tuple(Value.of(text.substring(0, place)), Value.of(separator), Value.of(text.substring(place + separator.length())))
                        : name.equals("partition") ? Value.Row.tuple(Value.of(text), Value.of(""), Value.of(""))
                                : Value.Row.tuple(Value.of(""), Value.of(""), Value.of(text));
            }
            case "startswith" -> Value.of(any(function, arguments, text::startsWith));
            case "endswith" -> Value.of(any(function, arguments, text::endsWith));
            case "removeprefix" -> {
                String prefix = string(arguments.bind(function, "prefix", "/").getFirst(), function);
                yield Value.of(text.startsWith(prefix) ? text.substring(prefix.length()) : text);
            }
            case "removesuffix" -> {
                String suffix = string(arguments.bind(function, "suffix", "/").getFirst(), function);
                yield Value.of(text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text);
            }
            case "replace" -> {
                List<Optional<Value>> bound = arguments.bind(function, "old", "new", "/", "|", "count");
                yield Value.of(replaced(text, string(bound.get(0), function), string(bound.get(1), function), bound.get(2)));
            }
            case "find", "rfind", "index", "count" -> search(name, text, string(arguments.bind(function, "sub", "/").getFirst(), function));
            case "join" -> joined(text, arguments.bind(function, "values", "/").getFirst().orElseThrow());
            default -> {
                arguments.bind(function);
                yield plain(name, text);
            }
        };
    }

    private static Value plain(String name, String text) {
        return switch (name) {
            case "lower" -> Value.of(text.toLowerCase(Locale.ROOT));
            case "upper" -> Value.of(text.toUpperCase(Locale.ROOT));
            case "capitalize" -> Value.of(Strings.capitalize(text));
            case "title" -> Value.of(Strings.title(text));
            case "isalpha" -> Value.of(all(text, Character::isLetter));
            case "isdigit" -> Value.of(all(text, Methods::isDigit));
            case "isalnum" -> Value.of(all(text, c -> Character.isLetterOrDigit(c) || isOtherNumber(c)));
            case "isspace" -> Value.of(Strings.isSpace(text));
            case "islower" -> Value.of(hasCase(text, text.toLowerCase(Locale.ROOT)));
            case "isupper" -> Value.of(hasCase(text, text.toUpperCase(Locale.ROOT)));
            default -> throw TemplateException.unsupported("str." + name);
        };
    }

    static boolean hasCase(String text, String converted) {
        return text.equals(converted) && text.codePoints().anyMatch(Strings::isCased);
    }

    private static boolean all(String text, IntPredicate kind) {
        return !text.isEmpty() && text.codePoints().allMatch(kind);
    }

    /** Python also counts some of the other numbers, such as superscripts. */
    private static boolean isDigit(int c) {
        if (isOtherNumber(c)) {
            throw TemplateException.unsupported("str.isdigit of \"%s\"".formatted(Character.toString(c)));
        }
        return Character.isDigit(c);
    }

    private static boolean isOtherNumber(int c) {
        return Character.getType(c) == Character.OTHER_NUMBER || Character.getType(c) == Character.LETTER_NUMBER;
    }

    private Value joined(String separator, Value values) {
        return Value.of(limits.text(Rows.list(values, limits).stream()
                .map(value -> string(Optional.of(value), "str.join"))
                .collect(Collectors.joining(separator))));
    }

    static Value list(List<String> parts) {
        return Value.Row.list(parts.stream().map(part -> (Value) Value.of(part)).toList());
    }

    /** White space, or the characters of a string. */
    static IntPredicate stripped(Optional<Value> characters, String function) {
        if (characters.isEmpty() || characters.get() instanceof Value.None) {
            return Strings::isSpace;
        }
        String chosen = string(characters, function);
        return c -> chosen.indexOf(c) >= 0;
    }

    static String string(Optional<Value> value, String function) {
        if (value.orElseThrow() instanceof Value.Str string) {
            return string.text();
        }
        Arithmetic.requireDefined(value.get());
        throw new TemplateException("%s takes a string, not a %s".formatted(function, value.get().type()));
    }

    private static String separator(String separator) {
        if (separator.isEmpty()) {
            throw new TemplateException("a separator is empty");
        }
        return separator;
    }

    private static Value split(String function, String text, List<Optional<Value>> bound) {
        long most = bound.get(1).map(Arithmetic::whole).orElse(-1L);
        boolean right = function.equals("str.rsplit");
        if (bound.getFirst().isEmpty() || bound.getFirst().get() instanceof Value.None) {
            return list(right ? Strings.splitRight(text, most) : Strings.split(text, most));
        }
        String separator = separator(string(bound.getFirst(), function));
        return list(right ? Strings.splitRight(text, separator, most) : Strings.split(text, separator, most));
    }

    private static boolean any(String function, Arguments arguments, Predicate<String> matches) {
        Value sought = arguments.bind(function, "text", "/").getFirst().orElseThrow();
        return sought instanceof Value.Row row && row.kind() == Value.Row.Kind.TUPLE
                ? row.values().stream().anyMatch(one -> matches.test(string(Optional.of(one), function)))
                : matches.test(string(Optional.of(sought), function));
    }

    String replaced(String text, String old, String with, Optional<Value> count) {
        long most = count.map(Arithmetic::whole).orElse(-1L);
        int found = old.isEmpty() ? text.length() + 1 : Strings.split(text, old, -1).size() - 1;
        limits.charge((long) found * with.length());
        return limits.text(Strings.replace(text, old, with, most));
    }

    private static Value search(String name, String text, String sought) {
        int place = name.equals("rfind") ? text.lastIndexOf(sought) : text.indexOf(sought);
        if (name.equals("count")) {
            return new Value.Int(sought.isEmpty() ? Strings.length(text) + 1 : Strings.split(text, sought, -1).size() - 1);
        }
        if (name.equals("index") && place < 0) {
            throw new TemplateException("str.index: the text is not found");
        }
        return new Value.Int(place < 0 ? -1 : text.codePointCount(0, place));
    }
}
