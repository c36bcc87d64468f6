package headscope.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** The functions that every template of transformers knows. */
final class Globals {
    /** As in Jinja2's sandbox. */
    private static final int LONGEST_RANGE = 100_000;

    private final Limits limits;
    private final Printing printing;
    private final Clock clock;

    Globals(Limits limits, Printing printing, Clock clock) {
        this.limits = limits;
        this.printing = printing;
        this.clock = clock;
    }

    Map<String, Value> functions() {
        Map<String, Value> functions = new HashMap<>();
        add(functions, "range", this::range);
        add(functions, "dict", arguments -> new Value.Dict(entries("dict", arguments)));
        add(functions, "namespace", this::namespace);
        add(functions, "raise_exception", arguments -> {
            throw TemplateException.raised(printing.text(arguments.bind("raise_exception", "message").getFirst().orElseThrow()));
        });
        add(functions, "strftime_now", arguments -> Value.of(clock.format(
                printing.text(arguments.bind("strftime_now", "format").getFirst().orElseThrow()))));
        for (String name : List.of("lipsum", "cycler", "joiner")) {
            add(functions, name, arguments -> {
                throw TemplateException.unsupported("the function " + name);
            });
        }
        return functions;
    }

    private static void add(Map<String, Value> functions, String name, Value.Function.Body body) {
        functions.put(name, new Value.Function(name, body));
    }

    private Value range(Arguments arguments) {
        List<Optional<Value>> bound = arguments.bind("range", "a", "|", "b", "c", "/");
        long first = Arithmetic.whole(bound.get(0).orElseThrow());
        long start = bound.get(1).isPresent() ? first : 0;
        long end = bound.get(1).map(Arithmetic::whole).orElse(first);
        long step = bound.get(2).map(Arithmetic::whole).orElse(1L);
        if (step == 0) {
            throw new TemplateException("the step of a range is 0");
        }
        List<Value> values = new ArrayList<>();
        long i = start;
        while (step > 0 ? i < end : i > end) {
            if (values.size() == LONGEST_RANGE) {
                throw new TemplateException("a range has more than %d elements".formatted(LONGEST_RANGE));
            }
            values.add(new Value.Int(i));
            if (step > 0 ? i + step < i : i + step > i) {
                break; // more than 64 bits: beyond the end
            }
            i += step;
        }
        limits.charge(values.size());
        return new Value.Row(Value.Row.Kind.RANGE, values);
    }

    private Value namespace(Arguments arguments) {
        Map<String, Value> attributes = new HashMap<>();
        entries("namespace", arguments).forEach((key, value) -> attributes.put(((Value.Str) key).text(), value));
        return new Value.Namespace(attributes);
    }

    private static SequencedMap<Value, Value> entries(String function, Arguments arguments) {
        SequencedMap<Value, Value> entries = new LinkedHashMap<>();
        if (!arguments.positional().isEmpty()) {
            throw TemplateException.unsupported("%s with positional arguments".formatted(function));
        }
        arguments.named().forEach((name, value) -> entries.put(Value.of(name), value));
        return entries;
    }
}
