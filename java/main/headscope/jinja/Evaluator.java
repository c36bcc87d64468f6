package headscope.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/** Computes expressions. */
final class Evaluator {
    private final Limits limits;
    private final Comparison comparison;
    private final Arithmetic arithmetic;
    private final Access access;
    private final Filters filters;
    private final Tests tests;
    private final Printing printing;

    Evaluator(Limits limits, Printing printing) {
        this.limits = limits;
        this.printing = printing;
        this.comparison = new Comparison(limits);
        this.arithmetic = new Arithmetic(limits);
        Methods methods = new Methods(limits, comparison);
        this.access = new Access(methods);
        this.tests = new Tests(comparison, printing);
        this.filters = new Filters(limits, comparison, printing, tests, methods, access);
    }

    Comparison comparison() {
        return comparison;
    }

    Value value(Expr expression, Scope scope) {
        limits.charge(1);
        return switch (expression) {
            case Expr.Literal literal -> literal.value();
            case Expr.Name name -> scope.get(name.name());
            case Expr.Row row -> new Value.Row(row.kind(), values(row.values(), scope));
            case Expr.Dict dict -> {
                SequencedMap<Value, Value> entries = new LinkedHashMap<>();
                for (int i = 0; i < dict.keys().size(); i++) {
                    entries.put(Access.key(value(dict.keys().get(i), scope)), value(dict.values().get(i), scope));
                }
                yield new Value.Dict(entries);
            }
            case Expr.Conditional choice -> isTrue(choice.test(), scope) ? value(choice.value(), scope)
                    : choice.otherwise().map(other -> value(other, scope))
                            .orElse(new Value.Undefined("an inline if without else has no value"));
            case Expr.And and -> {
                Value left = value(and.left(), scope);
                yield Comparison.isTrue(left) ? value(and.right(), scope) : left;
            }
            case Expr.Or or -> {
                Value left = value(or.left(), scope);
                yield Comparison.isTrue(left) ? left : value(or.right(), scope);
            }
            case Expr.Not not -> Value.of(!isTrue(not.operand(), scope));
            case Expr.Compare compare -> Value.of(compare(compare, scope));
            case Expr.Binary binary ->
                arithmetic.apply(binary.operator(), value(binary.left(), scope), value(binary.right(), scope));
            case Expr.Sign sign -> arithmetic.sign(sign.minus(), value(sign.operand(), scope));
            case Expr.Concat concat -> {
                StringBuilder text = new StringBuilder();
                concat.parts().forEach(part -> text.append(limits.text(printing.text(value(part, scope)))));
                yield Value.of(text.toString());
            }
            case Expr.Attribute attribute -> access.attribute(value(attribute.target(), scope), attribute.name());
            case Expr.Item item -> access.item(value(item.target(), scope), value(item.key(), scope));
            case Expr.Slice slice -> access.slice(value(slice.target(), scope),
                    bound(slice.from(), scope), bound(slice.to(), scope), bound(slice.step(), scope));
            case Expr.Call call -> call(value(call.target(), scope), arguments(call.arguments(), scope));
            case Expr.Filter filter -> filtered(value(filter.target(), scope), filter.filter(), scope);
            case Expr.Test test -> Value.of(tests.test(test.name(), value(test.target(), scope), arguments(test.arguments(), scope)));
        };
    }

    boolean isTrue(Expr expression, Scope scope) {
        return Comparison.isTrue(value(expression, scope));
    }

    Value filtered(Value value, Expr.FilterCall filter, Scope scope) {
        return filters.apply(filter.name(), value, arguments(filter.arguments(), scope));
    }

    private Value bound(Optional<Expr> bound, Scope scope) {
        return bound.map(given -> value(given, scope)).orElse(Value.None.NONE);
    }

    private List<Value> values(List<Expr> expressions, Scope scope) {
        List<Value> values = new ArrayList<>();
        expressions.forEach(one -> values.add(value(one, scope)));
        return values;
    }

    private Arguments arguments(Expr.Passed passed, Scope scope) {
        SequencedMap<String, Value> named = new LinkedHashMap<>();
        List<Value> positional = values(passed.positional(), scope);
        for (int i = 0; i < passed.names().size(); i++) {
            if (named.put(passed.names().get(i), value(passed.named().get(i), scope)) != null) {
                throw new TemplateException("the argument %s is given twice".formatted(passed.names().get(i)));
            }
        }
        return new Arguments(positional, named);
    }

    private static Value call(Value target, Arguments arguments) {
        Arithmetic.requireDefined(target);
        if (target instanceof Value.Function function) {
            return function.body().call(arguments);
        }
        throw new TemplateException("a %s cannot be called".formatted(target.type()));
    }

    private boolean compare(Expr.Compare compare, Scope scope) {
        Value left = value(compare.operands().getFirst(), scope);
        for (int i = 0; i < compare.operators().size(); i++) {
            Value right = value(compare.operands().get(i + 1), scope);
            boolean holds = switch (compare.operators().get(i)) {
                case "==" -> comparison.equal(left, right);
                case "!=" -> !comparison.equal(left, right);
                case "<" -> comparison.order(left, right) < 0;
                case "<=" -> comparison.order(left, right) <= 0;
                case ">" -> comparison.order(left, right) > 0;
                case ">=" -> comparison.order(left, right) >= 0;
                case "in" -> comparison.contains(right, left);
                default -> !comparison.contains(right, left);
            };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }
}
