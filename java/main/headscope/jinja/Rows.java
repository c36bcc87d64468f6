package headscope.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** Reading values one after the other. */
final class Rows {
    private Rows() {}

    /** The elements of a row, the characters of a string, the keys of a dict; nothing for an undefined value. */
    static Iterator<Value> iterator(Value value) {
        return switch (value) {
            case Value.Undefined _ -> Collections.emptyIterator();
            case Value.Str string -> Strings.characters(string.text()).iterator();
            case Value.Row row -> row.values().iterator();
            case Value.Dict dict -> dict.entries().keySet().iterator();
            case Value.Once once -> once.read();
            case Loop _ -> throw TemplateException.unsupported("iterating over loop");
            default -> throw new TemplateException("a %s cannot be iterated over".formatted(value.type()));
        };
    }

    static List<Value> list(Value value, Limits limits) {
        List<Value> values = new ArrayList<>();
        Iterator<Value> all = iterator(value);
        while (all.hasNext()) {
            limits.charge(1);
            values.add(all.next());
        }
        return values;
    }

    static int length(Value value) {
        return switch (value) {
            case Value.Undefined _ -> 0;
            case Value.Str string -> Strings.length(string.text());
            case Value.Row row -> row.values().size();
            case Value.Dict dict -> dict.entries().size();
            default -> throw new TemplateException("a %s has no length".formatted(value.type()));
        };
    }
}
