package headscope.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** The filters that read rows. Those that Jinja2 makes generators can be read once. */
final class RowFilters {
    private final Filters filters;
    private final Limits limits;
    private final Comparison comparison;
    private final Tests tests;
    private final Access access;

    RowFilters(Filters filters, Limits limits, Comparison comparison, Tests tests, Access access) {
        this.filters = filters;
        this.limits = limits;
        this.comparison = comparison;
        this.tests = tests;
        this.access = access;
    }

    Value apply(String name, Value value, Arguments arguments) {
        String function = "the filter " + name;
        return switch (name) {
            case "list" -> {
                arguments.bind(function);
                yield Value.Row.list(Rows.list(value, limits));
            }
            case "first" -> {
                arguments.bind(function);
                Iterator<Value> all = Rows.iterator(value);
                yield all.hasNext() ? all.next() : new Value.Undefined("there is no first element");
            }
            case "last" -> {
                arguments.bind(function);
                List<Value> all = reversible(value);
                yield all.isEmpty() ? new Value.Undefined("there is no last element") : all.getLast();
            }
            case "reverse" -> {
                arguments.bind(function);
                yield value instanceof Value.Str string
                        ? Value.of(new StringBuilder(string.text()).reverse().toString())
                        : new Value.Once(reversible(value).reversed().iterator());
            }
            case "items" -> {
                arguments.bind(function);
                yield items(value);
            }
            case "map" -> new Value.Once(mapped(value, mapping(arguments)));
            case "select", "reject" -> chosen(value, test(function, arguments, 0), name.equals("select"));
            case "selectattr", "rejectattr" -> {
                Value attribute = arguments.positional().stream().findFirst()
                        .orElseThrow(() -> new TemplateException(function + " needs the argument attribute"));
                Predicate<Value> test = test(function, arguments, 1);
                yield chosen(value, one -> test.test(attribute(one, attribute)), name.equals("selectattr"));
            }
            case "sort" -> {
                List<Optional<Value>> bound = arguments.bind(function, "|", "reverse", "case_sensitive", "attribute");
                List<Value> sorted = Rows.list(value, limits);
                Comparator<Value> order = Comparator.comparing(key(bound.get(1), bound.get(2)), comparison::order);
                sorted.sort(Filters.isTrue(bound.get(0)) ? order.reversed() : order);
                yield Value.Row.list(sorted);
            }
            case "min", "max" -> extreme(name.equals("max"), value, arguments.bind(function, "|", "case_sensitive", "attribute"));
            case "unique" -> unique(value, arguments.bind(function, "|", "case_sensitive", "attribute"));
            case "sum" -> sum(value, arguments.bind(function, "|", "attribute", "start"));
            case "dictsort" -> dictsort(value, arguments.bind(function, "|", "case_sensitive", "by", "reverse"));
            default -> throw TemplateException.unsupported("the filter \"%s\"".formatted(name));
        };
    }

    /** An attribute by a path such as "function.name", whose parts are items before they are attributes. */
    Value attribute(Value value, Value path) {
        if (path instanceof Value.Int index) {
            return access.item(value, index);
        }
        if (!(path instanceof Value.Str string)) {
            throw new TemplateException("the argument attribute must be a string, not a %s".formatted(path.type()));
        }
        Value found = value;
        for (String part : Strings.split(string.text(), ".", -1)) {
            found = access.item(found, part.matches("[0-9]{1,9}") ? new Value.Int(Integer.parseInt(part)) : Value.of(part));
        }
        return found;
    }

    private List<Value> reversible(Value value) {
        if (value instanceof Value.Once) {
            throw new TemplateException("a generator cannot be read from its end; insert |list before");
        }
        return Rows.list(value, limits);
    }

    private static Value items(Value value) {
        return switch (value) {
            case Value.Undefined _ -> new Value.Once(Collections.emptyIterator());
            case Value.Dict dict -> new Value.Once(Methods.items(dict).iterator());
            default -> throw new TemplateException("the filter items takes a dict, not a %s".formatted(value.type()));
        };
    }

    private Iterator<Value> mapped(Value value, Function<Value, Value> mapping) {
        Iterator<Value> all = Rows.iterator(value);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return all.hasNext();
            }

            @Override
            public Value next() {
                limits.charge(1);
                return mapping.apply(all.next());
            }
        };
    }

    private Function<Value, Value> mapping(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            List<Optional<Value>> bound = arguments.bind("the filter map", "attribute", "|", "default");
            return one -> withDefault(attribute(one, bound.get(0).orElseThrow()), bound.get(1));
        }
        if (!(arguments.positional().getFirst() instanceof Value.Str name)) {
            throw new TemplateException("the filter map takes the name of a filter");
        }
        return one -> filters.apply(name.text(), one, arguments.from(1));
    }

    private static Value withDefault(Value value, Optional<Value> otherwise) {
        return value instanceof Value.Undefined && otherwise.isPresent() && !(otherwise.get() instanceof Value.None)
                ? otherwise.get() : value;
    }

    private Predicate<Value> test(String function, Arguments arguments, int place) {
        if (arguments.positional().size() <= place) {
            arguments.from(place).bind(function);
            return Comparison::isTrue;
        }
        if (!(arguments.positional().get(place) instanceof Value.Str name)) {
            throw new TemplateException("%s takes the name of a test".formatted(function));
        }
        return one -> tests.test(name.text(), one, arguments.from(place + 1));
    }

    private Value chosen(Value value, Predicate<Value> test, boolean kept) {
        Iterator<Value> all = Rows.iterator(value);
        return new Value.Once(new Iterator<>() {
            private Optional<Value> next = Optional.empty();

            @Override
            public boolean hasNext() {
                while (next.isEmpty() && all.hasNext()) {
                    limits.charge(1);
                    next = Optional.of(all.next()).filter(one -> test.test(one) == kept);
                }
                return next.isPresent();
            }

            @Override
            public Value next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Value found = next.orElseThrow();
                next = Optional.empty();
                return found;
            }
        });
    }

    /** What is compared of a value: it or its attribute, in lower case unless case matters. */
    private Function<Value, Value> key(Optional<Value> caseSensitive, Optional<Value> attribute) {
        Optional<Value> path = attribute.filter(given -> !(given instanceof Value.None));
        if (path.isPresent() && path.get() instanceof Value.Str name && name.text().contains(",")) {
            throw TemplateException.unsupported("sorting by several attributes");
        }
        return one -> {
            Value key = path.map(given -> attribute(one, given)).orElse(one);
            return key instanceof Value.Str string && !Filters.isTrue(caseSensitive)
                    ? Value.of(string.text().toLowerCase(Locale.ROOT)) : key;
        };
    }

    private Value extreme(boolean largest, Value value, List<Optional<Value>> bound) {
        Function<Value, Value> key = key(bound.get(0), bound.get(1));
        Optional<Value> extreme = Optional.empty();
        for (Value one : Rows.list(value, limits)) {
            int order = extreme.isEmpty() ? 1 : comparison.order(key.apply(one), key.apply(extreme.get()));
            if (extreme.isEmpty() || (largest ? order > 0 : order < 0)) {
                extreme = Optional.of(one);
            }
        }
        return extreme.orElse(new Value.Undefined("there is no element"));
    }

    private Value unique(Value value, List<Optional<Value>> bound) {
        Function<Value, Value> key = key(bound.get(0), bound.get(1));
        List<Value> seen = new ArrayList<>();
        List<Value> unique = new ArrayList<>();
        for (Value one : Rows.list(value, limits)) {
            Value compared = key.apply(one);
            if (seen.stream().noneMatch(other -> comparison.equal(other, compared))) {
                seen.add(compared);
                unique.add(one);
            }
        }
        return new Value.Once(unique.iterator());
    }

    private Value sum(Value value, List<Optional<Value>> bound) {
        Arithmetic arithmetic = new Arithmetic(limits);
        Value sum = bound.get(1).orElse(new Value.Int(0));
        Optional<Value> path = bound.get(0).filter(given -> !(given instanceof Value.None));
        for (Value one : Rows.list(value, limits)) {
            sum = arithmetic.apply("+", sum, path.map(given -> attribute(one, given)).orElse(one));
        }
        return sum;
    }

    private Value dictsort(Value value, List<Optional<Value>> bound) {
        if (!(value instanceof Value.Dict dict)) {
            throw new TemplateException("the filter dictsort takes a dict, not a %s".formatted(value.type()));
        }
        String by = bound.get(1).orElse(Value.of("key")) instanceof Value.Str given ? given.text() : "";
        if (!by.equals("key") && !by.equals("value")) {
            throw new TemplateException("dictsort sorts by \"key\" or \"value\"");
        }
        Function<Value, Value> key = key(bound.get(0), Optional.of(new Value.Int(by.equals("key") ? 0 : 1)));
        Comparator<Value> order = Comparator.comparing(key, comparison::order);
        List<Value> sorted = new ArrayList<>(Methods.items(dict));
        sorted.sort(Filters.isTrue(bound.get(2)) ? order.reversed() : order);
        return Value.Row.list(sorted);
    }
}
