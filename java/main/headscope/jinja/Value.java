package headscope.jinja;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A value of the template language: those of Python that chat templates use. */
public sealed interface Value
        permits Value.Undefined, Value.None, Value.Bool, Value.Int, Value.Real, Value.Str, Value.Row, Value.Dict, Value.Once,
                Value.Namespace, Value.Function, Loop {
    /** @param fault the message if it is used, such as "'x' is undefined" */
    record Undefined(String fault) implements Value {}

    /** Python's None. */
    enum None implements Value {
        NONE
    }

    /** A truth value. */
    record Bool(boolean value) implements Value {}

    /** A whole number; those beyond 64 bits are rejected. */
    record Int(long value) implements Value {}

    /** A float. */
    record Real(double value) implements Value {}

    /** A string; its length and positions count code points. */
    record Str(String text) implements Value {}

    /** An immutable row of values. */
    record Row(Kind kind, List<Value> values) implements Value {
        /** Python's type. */
        enum Kind {
            LIST,
            TUPLE,
            RANGE,
            KEYS,
            VALUES,
            ITEMS
        }

        static Row list(List<Value> values) {
            return new Row(Kind.LIST, values);
        }

        static Row tuple(Value... values) {
            return new Row(Kind.TUPLE, List.of(values));
        }

        /** Whether the values can be subscripted. */
        boolean indexed() {
            return kind == Kind.LIST || kind == Kind.TUPLE || kind == Kind.RANGE;
        }
    }

    /** @param entries keys are strings or whole numbers */
    record Dict(SequencedMap<Value, Value> entries) implements Value {}

    /** A generator. Python's would be empty when it is read again; this one is rejected. */
    final class Once implements Value {
        private final Iterator<Value> values;
        private boolean read;

        Once(Iterator<Value> values) {
            this.values = values;
        }

        Iterator<Value> read() {
            if (read) {
                throw TemplateException.unsupported("reading the result of a filter twice, without |list,");
            }
            read = true;
            return values;
        }
    }

    /** The only value that a template can change. */
    record Namespace(Map<String, Value> attributes) implements Value {}

    /** A macro, a method or a function. */
    record Function(String name, Body body) implements Value {
        /** What is called. */
        interface Body {
            Value call(Arguments arguments);
        }
    }

    /** A variable without value. */
    static Undefined undefined(String name) {
        return new Undefined("\"%s\" is undefined".formatted(name));
    }

    static Str of(String text) {
        return new Str(text);
    }

    static Bool of(boolean value) {
        return new Bool(value);
    }

    /** A value of a JSON file, as Python's json reads it. */
    static Value of(JsonNode json) {
        if (json.isTextual()) {
            return new Str(json.textValue());
        } else if (json.isBoolean()) {
            return new Bool(json.booleanValue());
        } else if (json.isIntegralNumber()) {
            if (!json.canConvertToLong()) {
                throw TemplateException.unsupported("the number %s, beyond 64 bits,".formatted(json));
            }
            return new Int(json.longValue());
        } else if (json.isNumber()) {
            return new Real(json.doubleValue());
        } else if (json.isArray()) {
            List<Value> values = new ArrayList<>();
            json.forEach(one -> values.add(of(one)));
            return Row.list(values);
        } else if (json.isObject()) {
            SequencedMap<Value, Value> entries = new LinkedHashMap<>();
            json.properties().forEach(entry -> entries.put(new Str(entry.getKey()), of(entry.getValue())));
            return new Dict(entries);
        }
        return None.NONE;
    }

    /** The name of its Python type. */
    default String type() {
        return switch (this) {
            case Undefined _ -> "Undefined";
            case None _ -> "NoneType";
            case Bool _ -> "bool";
            case Int _ -> "int";
            case Real _ -> "float";
            case Str _ -> "str";
            case Row row -> switch (row.kind()) {
                case LIST -> "list";
                case TUPLE -> "tuple";
                case RANGE -> "range";
                case KEYS -> "dict_keys";
                case VALUES -> "dict_values";
                case ITEMS -> "dict_items";
            };
            case Dict _ -> "dict";
            case Once _ -> "generator";
            case Namespace _ -> "namespace";
            case Function _ -> "function";
            case Loop _ -> "loop";
        };
    }
}
