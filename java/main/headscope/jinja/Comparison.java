package headscope.jinja;

import java.util.Iterator;
import java.util.List;

/** Truth, equality, order and membership, as in Python. */
final class Comparison {
    private final Limits limits;

    Comparison(Limits limits) {
        this.limits = limits;
    }

    static boolean isTrue(Value value) {
        return switch (value) {
            case Value.Undefined _, Value.None _ -> false;
            case Value.Bool bool -> bool.value();
            case Value.Int number -> number.value() != 0;
            case Value.Real number -> number.value() != 0;
            case Value.Str string -> !string.text().isEmpty();
            case Value.Row row -> !row.values().isEmpty();
            case Value.Dict dict -> !dict.entries().isEmpty();
            case Value.Once _, Value.Namespace _, Value.Function _, Loop _ -> true;
        };
    }

    boolean equal(Value left, Value right) {
        limits.charge(1);
        if (isNumber(left) && isNumber(right)) {
            return order(left, right) == 0;
        }
        return switch (left) {
            case Value.Undefined _ -> right instanceof Value.Undefined;
            case Value.Str string -> right instanceof Value.Str other && limits.text(string.text()).equals(other.text());
            case Value.Row row -> right instanceof Value.Row other && equal(row, other);
            case Value.Dict dict -> right instanceof Value.Dict other && equal(dict, other);
            default -> left.equals(right);
        };
    }

    private boolean equal(Value.Row left, Value.Row right) {
        if (left.kind() != right.kind() || left.values().size() != right.values().size()) {
            return false;
        }
        if (left.kind() != Value.Row.Kind.LIST && left.kind() != Value.Row.Kind.TUPLE) {
            throw TemplateException.unsupported("comparing a %s".formatted(left.type()));
        }
        Iterator<Value> others = right.values().iterator();
        return left.values().stream().allMatch(one -> equal(one, others.next()));
    }

    private boolean equal(Value.Dict left, Value.Dict right) {
        return left.entries().size() == right.entries().size()
                && left.entries().entrySet().stream().allMatch(entry -> right.entries().containsKey(entry.getKey())
                        && equal(entry.getValue(), right.entries().get(entry.getKey())));
    }

    static boolean isNumber(Value value) {
        return value instanceof Value.Bool || value instanceof Value.Int || value instanceof Value.Real;
    }

    /** Negative, 0 or positive. */
    int order(Value left, Value right) {
        limits.charge(1);
        if (left instanceof Value.Str one && right instanceof Value.Str other) {
            return order(limits.text(one.text()).codePoints().iterator(), other.text().codePoints().iterator());
        }
        if (left instanceof Value.Row one && right instanceof Value.Row other && one.kind() == other.kind()
                && (one.kind() == Value.Row.Kind.LIST || one.kind() == Value.Row.Kind.TUPLE)) {
            return order(one.values(), other.values());
        }
        if (!isNumber(left) || !isNumber(right)) {
            Arithmetic.requireDefined(left, right);
            throw new TemplateException("a %s and a %s cannot be ordered".formatted(left.type(), right.type()));
        }
        if (left instanceof Value.Real || right instanceof Value.Real) {
            double one = Arithmetic.real(left);
            double other = Arithmetic.real(right);
            if (Double.isNaN(one) || Double.isNaN(other)) {
                throw TemplateException.unsupported("comparing nan");
            }
            return one < other ? -1 : one > other ? 1 : 0;
        }
        return Long.compare(Arithmetic.whole(left), Arithmetic.whole(right));
    }

    private static int order(Iterator<Integer> left, Iterator<Integer> right) {
        while (left.hasNext() && right.hasNext()) {
            int order = Integer.compare(left.next(), right.next());
            if (order != 0) {
                return order;
            }
        }
        return Boolean.compare(left.hasNext(), right.hasNext());
    }

    private int order(List<Value> left, List<Value> right) {
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            if (!equal(left.get(i), right.get(i))) {
                return order(left.get(i), right.get(i));
            }
        }
        return Integer.compare(left.size(), right.size());
    }

    /** {@code part in whole}. */
    boolean contains(Value whole, Value part) {
        if (whole instanceof Value.Str text) {
            if (part instanceof Value.Str searched) {
                return limits.text(text.text()).contains(searched.text());
            }
            Arithmetic.requireDefined(part);
            throw new TemplateException("a %s cannot be searched for in a string".formatted(part.type()));
        }
        if (whole instanceof Value.Dict dict) {
            return !(part instanceof Value.None) && !(part instanceof Value.Undefined)
                    && dict.entries().containsKey(Access.key(part));
        }
        Iterator<Value> values = Rows.iterator(whole);
        while (values.hasNext()) {
            if (equal(values.next(), part)) {
                return true;
            }
        }
        return false;
    }
}
