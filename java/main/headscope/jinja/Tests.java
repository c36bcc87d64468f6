package headscope.jinja;

import java.util.List;
import java.util.Locale;

/** The tests that follow {@code is}. */
final class Tests {
    private final Comparison comparison;
    private final Printing printing;

    Tests(Comparison comparison, Printing printing) {
        this.comparison = comparison;
        this.printing = printing;
    }

    boolean test(String name, Value value, Arguments arguments) {
        return switch (name) {
            case "==", "eq", "equalto" -> comparison.equal(value, other(name, arguments));
            case "!=", "ne" -> !comparison.equal(value, other(name, arguments));
            case ">", "gt", "greaterthan" -> comparison.order(value, other(name, arguments)) > 0;
            case ">=", "ge" -> comparison.order(value, other(name, arguments)) >= 0;
            case "<", "lt", "lessthan" -> comparison.order(value, other(name, arguments)) < 0;
            case "<=", "le" -> comparison.order(value, other(name, arguments)) <= 0;
            case "in" -> comparison.contains(other(name, arguments), value);
            case "divisibleby" -> remainder(value, Arithmetic.whole(other(name, arguments))) == 0;
            case "sameas" -> isSame(value, other(name, arguments));
            default -> {
                arguments.bind("the test " + name);
                yield test(name, value);
            }
        };
    }

    private static Value other(String name, Arguments arguments) {
        return arguments.bind("the test " + name, "other").getFirst().orElseThrow();
    }

    private boolean test(String name, Value value) {
        return switch (name) {
            case "defined" -> !(value instanceof Value.Undefined);
            case "undefined" -> value instanceof Value.Undefined;
            case "none" -> value instanceof Value.None;
            case "boolean" -> value instanceof Value.Bool;
            case "true" -> value instanceof Value.Bool bool && bool.value();
            case "false" -> value instanceof Value.Bool bool && !bool.value();
            case "integer" -> value instanceof Value.Int;
            case "float" -> value instanceof Value.Real;
            case "number" -> Comparison.isNumber(value);
            case "string" -> value instanceof Value.Str;
            case "mapping" -> value instanceof Value.Dict;
            case "sequence" -> value instanceof Value.Str || value instanceof Value.Dict || value instanceof Value.Undefined
                    || value instanceof Value.Row row && row.indexed();
            case "iterable" -> switch (value) {
                case Value.Undefined _, Value.Str _, Value.Row _, Value.Dict _, Value.Once _, Loop _ -> true;
                case Value.None _, Value.Bool _, Value.Int _, Value.Real _, Value.Namespace _, Value.Function _ -> false;
            };
            case "callable" -> value instanceof Value.Function || value instanceof Value.Undefined || value instanceof Loop;
            case "odd" -> remainder(value, 2) == 1;
            case "even" -> remainder(value, 2) == 0;
            case "lower" -> Methods.hasCase(printing.text(value), printing.text(value).toLowerCase(Locale.ROOT));
            case "upper" -> Methods.hasCase(printing.text(value), printing.text(value).toUpperCase(Locale.ROOT));
            default -> throw TemplateException.unsupported("the test \"%s\"".formatted(name));
        };
    }

    private static long remainder(Value value, long divisor) {
        if (divisor == 0) {
            throw new TemplateException("division by zero");
        }
        return Math.floorMod(Arithmetic.whole(value), divisor);
    }

    /** Identity, which Python defines for None and truth values alone. */
    private static boolean isSame(Value value, Value other) {
        if (List.of(value, other).stream().anyMatch(one -> one instanceof Value.None || one instanceof Value.Bool)) {
            return value.equals(other);
        }
        throw TemplateException.unsupported("the test \"sameas\" of a %s".formatted(value.type()));
    }
}
