package headscope.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Attributes, items and slices, in the order in which Jinja2's sandbox looks for them: {@code a.b} finds a method before
 * an item, {@code a["b"]} an item before a method.
 */
final class Access {
    /** Attributes of Python's values that this interpreter does not support or that Jinja2's sandbox rejects. */
    private static final Map<String, Set<String>> UNSUPPORTED = Map.of(
            "str", Set.of("casefold", "center", "encode", "expandtabs", "format", "format_map", "isascii", "isdecimal",
                    "isidentifier", "isnumeric", "isprintable", "istitle", "ljust", "maketrans", "rindex", "rjust", "swapcase",
                    "translate", "zfill"),
            "dict", Set.of("clear", "fromkeys", "pop", "popitem", "setdefault", "update"),
            "list", Set.of("append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"),
            "range", Set.of("start", "stop", "step", "index", "count"),
            "dict_keys", Set.of("isdisjoint", "mapping"),
            "dict_values", Set.of("mapping"),
            "dict_items", Set.of("isdisjoint", "mapping"),
            "int", Set.of("as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "imag",
                    "is_integer", "numerator", "real", "to_bytes"),
            "float", Set.of("as_integer_ratio", "conjugate", "from_number", "fromhex", "hex", "imag", "is_integer", "real"),
            "function", Set.of("arguments", "caller", "catch_kwargs", "catch_varargs", "explicit_caller", "name"));

    private final Methods methods;

    Access(Methods methods) {
        this.methods = methods;
    }

    Value attribute(Value target, String name) {
        return own(target, name).orElseGet(() -> target instanceof Value.Dict dict
                ? dict.entries().getOrDefault(Value.of(name), missing(target, name)) : missing(target, name));
    }

    Value item(Value target, Value key) {
        Arithmetic.requireDefined(target);
        Optional<Value> found = switch (target) {
            case Value.Dict dict -> isKey(key) ? Optional.ofNullable(dict.entries().get(key(key))) : Optional.empty();
            case Value.Row row when row.indexed() && Arithmetic.isWhole(key) ->
                index(Arithmetic.whole(key), row.values().size()).map(row.values()::get);
            case Value.Str string when Arithmetic.isWhole(key) -> {
                List<Value> characters = Strings.characters(string.text());
                yield index(Arithmetic.whole(key), characters.size()).map(characters::get);
            }
            default -> Optional.empty();
        };
        if (found.isEmpty() && key instanceof Value.Str name) {
            found = own(target, name.text());
        }
        return found.orElseGet(() -> key instanceof Value.Str name ? missing(target, name.text())
                : new Value.Undefined("a %s has no such element".formatted(target.type())));
    }

    private static Optional<Integer> index(long index, int size) {
        long place = index < 0 ? index + size : index;
        return place >= 0 && place < size ? Optional.of((int) place) : Optional.empty();
    }

    private static boolean isKey(Value value) {
        return value instanceof Value.Str || Arithmetic.isWhole(value) || value instanceof Value.Real;
    }

    /** As a key of a dict. */
    static Value key(Value value) {
        return switch (value) {
            case Value.Str _, Value.Int _ -> value;
            case Value.Bool bool -> new Value.Int(bool.value() ? 1 : 0);
            default -> throw TemplateException.unsupported("a %s as a key of a dict".formatted(value.type()));
        };
    }

    /** An attribute of the value itself, not an item; empty if Python's value has none of that name. */
    private Optional<Value> own(Value target, String name) {
        Arithmetic.requireDefined(target);
        if (name.startsWith("__") && name.endsWith("__")) {
            throw TemplateException.unsupported("the attribute " + name);
        }
        return switch (target) {
            case Loop loop -> Optional.of(loop.attribute(name));
            case Value.Namespace namespace -> Optional.ofNullable(namespace.attributes().get(name));
            case Value.Once _ -> throw TemplateException.unsupported("%s of the result of a filter, without |list,".formatted(name));
            default -> {
                if (UNSUPPORTED.getOrDefault(target.type(), Set.of()).contains(name)) {
                    throw TemplateException.unsupported("%s.%s".formatted(target.type(), name));
                }
                yield methods.find(target, name);
            }
        };
    }

    private static Value missing(Value target, String name) {
        return new Value.Undefined("a %s has no attribute \"%s\"".formatted(target.type(), name));
    }

    Value slice(Value target, Value from, Value to, Value step) {
        Arithmetic.requireDefined(target, from, to, step);
        long by = step instanceof Value.None ? 1 : Arithmetic.whole(step);
        if (by == 0) {
            throw new TemplateException("the step of a slice is 0");
        }
        return switch (target) {
            case Value.Str string -> {
                StringBuilder text = new StringBuilder();
                sliced(Strings.characters(string.text()), from, to, by).forEach(c -> text.append(((Value.Str) c).text()));
                yield Value.of(text.toString());
            }
            case Value.Row row when row.indexed() && row.kind() != Value.Row.Kind.RANGE ->
                new Value.Row(row.kind(), sliced(row.values(), from, to, by));
            case Value.Row row when row.kind() == Value.Row.Kind.RANGE -> throw TemplateException.unsupported("a slice of a range");
            default -> throw new TemplateException("a %s cannot be sliced".formatted(target.type()));
        };
    }

    private static List<Value> sliced(List<Value> values, Value from, Value to, long step) {
        int size = values.size();
        long lowest = step > 0 ? 0 : -1;
        long highest = step > 0 ? size : size - 1;
        long start = from instanceof Value.None ? step > 0 ? lowest : highest : bound(from, size, lowest, highest);
        long end = to instanceof Value.None ? step > 0 ? highest : lowest : bound(to, size, lowest, highest);
        List<Value> chosen = new ArrayList<>();
        long by = Math.clamp(step, -size - 1L, size + 1L);
        for (long i = start; by > 0 ? i < end : i > end; i += by) {
            chosen.add(values.get((int) i));
        }
        return chosen;
    }

    private static long bound(Value value, int size, long lowest, long highest) {
        long bound = Arithmetic.whole(value);
        return Math.clamp(bound < 0 ? Math.max(bound, -size - 1L) + size : bound, lowest, highest);
    }
}
