package headscope.jinja;

import java.util.List;
import java.util.Optional;

/** The variable {@code loop} inside a loop. */
final class Loop implements Value {
    private final List<Value> values;
    private final Comparison comparison;
    private int index = -1;
    private Optional<Row> changed = Optional.empty();

    Loop(List<Value> values, Comparison comparison) {
        this.values = values;
        this.comparison = comparison;
    }

    boolean advance() {
        return ++index < values.size();
    }

    Value current() {
        return values.get(index);
    }

    Value attribute(String name) {
        return switch (name) {
            case "index" -> new Int(index + 1);
            case "index0" -> new Int(index);
            case "revindex" -> new Int(values.size() - index);
            case "revindex0" -> new Int(values.size() - index - 1);
            case "first" -> Value.of(index == 0);
            case "last" -> Value.of(index == values.size() - 1);
            case "length" -> new Int(values.size());
            case "depth" -> new Int(1); // only recursive loops are deeper
            case "depth0" -> new Int(0);
            case "previtem" -> index > 0 ? values.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> index + 1 < values.size() ? values.get(index + 1) : new Undefined("there is no next item");
            case "cycle" -> new Function("loop.cycle", arguments -> cycle(arguments.positional()));
            case "changed" -> new Function("loop.changed", arguments -> Value.of(isChanged(arguments.positional())));
            default -> throw TemplateException.unsupported("loop." + name);
        };
    }

    private Value cycle(List<Value> choices) {
        if (choices.isEmpty()) {
            throw new TemplateException("loop.cycle needs arguments");
        }
        return choices.get(index % choices.size());
    }

    private boolean isChanged(List<Value> now) {
        boolean same = changed.isPresent() && comparison.equal(changed.get(), Row.list(now));
        changed = Optional.of(Row.list(now));
        return !same;
    }
}
