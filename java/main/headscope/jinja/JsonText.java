package headscope.jinja;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** JSON as Python's json.dumps writes it, which transformers puts in the place of Jinja2's tojson. */
final class JsonText {
    private final boolean ascii;
    private final String indent;
    private final boolean indented;
    private final boolean sorted;
    private final Limits limits;
    private final StringBuilder json = new StringBuilder();

    private JsonText(boolean ascii, Value indent, boolean sorted, Limits limits) {
        this.ascii = ascii;
        this.indented = !(indent instanceof Value.None);
        this.indent = switch (indent) {
            case Value.None _ -> "";
            case Value.Str string -> string.text();
            default -> " ".repeat(Math.clamp(Arithmetic.whole(indent), 0, 64));
        };
        this.sorted = sorted;
        this.limits = limits;
    }

    static String of(Value value, boolean ascii, Value indent, boolean sorted, Limits limits) {
        JsonText text = new JsonText(ascii, indent, sorted, limits);
        text.write(value, 0);
        return limits.text(text.json.toString());
    }

    private void write(Value value, int depth) {
        limits.charge(1);
        switch (value) {
            case Value.None _ -> json.append("null");
            case Value.Bool bool -> json.append(bool.value());
            case Value.Int number -> json.append(number.value());
            case Value.Real number -> json.append(real(number.value()));
            case Value.Str string -> string(string.text());
            case Value.Row row when row.kind().compareTo(Value.Row.Kind.TUPLE) <= 0 -> list(row.values(), depth);
            case Value.Dict dict -> dict(dict, depth);
            case Value.Undefined undefined -> throw new TemplateException("tojson: " + undefined.fault());
            default -> throw new TemplateException("tojson cannot be applied to a %s".formatted(value.type()));
        }
    }

    private static String real(double value) {
        return Double.isNaN(value) ? "NaN" : Double.isInfinite(value) ? value > 0 ? "Infinity" : "-Infinity" : Printing.real(value);
    }

    private void list(List<Value> values, int depth) {
        if (values.isEmpty()) {
            json.append("[]");
            return;
        }
        json.append('[');
        Iterator<Value> all = values.iterator();
        while (all.hasNext()) {
            line(depth + 1);
            write(all.next(), depth + 1);
            separate(all.hasNext());
        }
        line(depth);
        json.append(']');
    }

    private void dict(Value.Dict dict, int depth) {
        if (dict.entries().isEmpty()) {
            json.append("{}");
            return;
        }
        json.append('{');
        Comparison comparison = new Comparison(limits);
        Iterator<Map.Entry<Value, Value>> all = (sorted
                ? dict.entries().entrySet().stream().sorted(Map.Entry.comparingByKey(comparison::order))
                : dict.entries().entrySet().stream()).iterator();
        while (all.hasNext()) {
            Map.Entry<Value, Value> entry = all.next();
            line(depth + 1);
            string(entry.getKey() instanceof Value.Str key ? key.text() : Long.toString(Arithmetic.whole(entry.getKey())));
            json.append(": ");
            write(entry.getValue(), depth + 1);
            separate(all.hasNext());
        }
        line(depth);
        json.append('}');
    }

    private void separate(boolean more) {
        if (more) {
            json.append(indented ? "," : ", ");
        }
    }

    private void line(int depth) {
        if (indented) {
            limits.charge((long) depth * indent.length());
            json.append('\n').append(indent.repeat(depth));
        }
    }

    private void string(String text) {
        limits.text(text);
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\f' -> json.append("\\f");
                case '\b' -> json.append("\\b");
                default -> json.append(c < ' ' || ascii && c > '~' ? "\\u%04x".formatted((int) c) : c);
            }
        }
        json.append('"');
    }
}
