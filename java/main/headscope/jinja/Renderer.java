package headscope.jinja;

import java.util.ArrayList;
import java.util.List;

/** Carries out statements. */
final class Renderer {
    private static final int DEEPEST_MACRO = 100;

    private final Limits limits;
    private final Printing printing;
    private final Evaluator evaluator;
    private int macros;

    Renderer(Limits limits, Printing printing, Evaluator evaluator) {
        this.limits = limits;
        this.printing = printing;
        this.evaluator = evaluator;
    }

    /** How a body ended. */
    private enum End {
        REACHED,
        BREAK,
        CONTINUE
    }

    String text(List<Node> nodes, Scope scope) {
        StringBuilder out = new StringBuilder();
        render(nodes, scope, out);
        return out.toString();
    }

    private End render(List<Node> nodes, Scope scope, StringBuilder out) {
        for (Node node : nodes) {
            try {
                limits.charge(1);
                End end = render(node, scope, out);
                if (end != End.REACHED) {
                    return end;
                }
            } catch (TemplateException fault) {
                throw fault.at(node.line());
            }
        }
        return End.REACHED;
    }

    private End render(Node node, Scope scope, StringBuilder out) {
        switch (node) {
            case Node.Text text -> out.append(limits.text(text.text()));
            case Node.Print print -> out.append(limits.text(printing.text(printed(print.value(), scope))));
            case Node.If choice -> {
                return render(evaluator.isTrue(choice.test(), scope) ? choice.body() : choice.otherwise(), scope, out);
            }
            case Node.For loop -> {
                return loop(loop, scope, out);
            }
            case Node.Set set -> assign(set.target(), evaluator.value(set.value(), scope), scope);
            case Node.SetBlock set -> assign(set.target(), filtered(set.body(), set.filters(), scope.inner()), scope);
            case Node.FilterBlock block -> out.append(printing.text(filtered(block.body(), block.filters(), scope.inner())));
            case Node.Macro macro -> scope.set(macro.name(), macro(macro, scope));
            case Node.With with -> {
                Scope inside = scope.inner();
                List<Value> values = with.values().stream().map(value -> evaluator.value(value, scope)).toList();
                for (int i = 0; i < values.size(); i++) {
                    assign(with.targets().get(i), values.get(i), inside);
                }
                return render(with.body(), inside, out);
            }
            case Node.Generation generation -> {
                return render(generation.body(), scope.inner(), out);
            }
            case Node.Break _ -> {
                return End.BREAK;
            }
            case Node.Continue _ -> {
                return End.CONTINUE;
            }
        }
        return End.REACHED;
    }

    /** The value of an expression; the filter safe changes nothing where its result is printed. */
    private Value printed(Expr expression, Scope scope) {
        return expression instanceof Expr.Filter filter && filter.filter().name().equals("safe")
                ? Value.of(printing.text(printed(filter.target(), scope))) : evaluator.value(expression, scope);
    }

    private Value filtered(List<Node> body, List<Expr.FilterCall> filters, Scope scope) {
        Value value = Value.of(text(body, scope));
        for (Expr.FilterCall filter : filters) {
            value = evaluator.filtered(value, filter, scope);
        }
        return value;
    }

    private End loop(Node.For loop, Scope scope, StringBuilder out) {
        List<Value> chosen = new ArrayList<>();
        for (Value value : Rows.list(evaluator.value(loop.values(), scope), limits)) {
            Scope inside = scope.inner();
            loop.test().ifPresent(test -> assign(loop.target(), value, inside));
            if (loop.test().isEmpty() || evaluator.isTrue(loop.test().get(), inside)) {
                chosen.add(value);
            }
        }
        Loop variable = new Loop(chosen, evaluator.comparison());
        boolean completed = false;
        End end = End.REACHED;
        while (end != End.BREAK && variable.advance()) {
            Scope inside = scope.inner();
            inside.set("loop", variable);
            assign(loop.target(), variable.current(), inside);
            end = render(loop.body(), inside, out);
            completed |= end == End.REACHED;
        }
        // as Jinja2 compiles it, else also follows a loop of which break or continue ends every pass
        return completed ? End.REACHED : render(loop.otherwise(), scope.inner(), out);
    }

    private Value macro(Node.Macro macro, Scope scope) {
        int required = macro.parameters().size() - macro.defaults().size();
        List<String> optional = new ArrayList<>(List.of("|"));
        optional.addAll(macro.parameters());
        return new Value.Function(macro.name(), arguments -> {
            var bound = arguments.bind("the macro " + macro.name(), optional.toArray(String[]::new));
            Scope inside = scope.inner();
            for (int i = 0; i < bound.size(); i++) {
                int place = i;
                inside.set(macro.parameters().get(i), bound.get(i).orElseGet(() -> place < required
                        ? new Value.Undefined("the parameter \"%s\" was not provided".formatted(macro.parameters().get(place)))
                        : evaluator.value(macro.defaults().get(place - required), inside)));
            }
            if (++macros > DEEPEST_MACRO) {
                throw new TemplateException("macros are nested more than %d deep".formatted(DEEPEST_MACRO));
            }
            Value text = Value.of(text(macro.body(), inside));
            macros--;
            return text;
        });
    }

    private void assign(Node.Target target, Value value, Scope scope) {
        switch (target) {
            case Node.Target.Variable variable -> scope.set(variable.name(), value);
            case Node.Target.Attribute attribute -> {
                if (!(scope.get(attribute.namespace()) instanceof Value.Namespace namespace)) {
                    throw new TemplateException("%s.%s is assigned to, but %s is not a namespace"
                            .formatted(attribute.namespace(), attribute.name(), attribute.namespace()));
                }
                namespace.attributes().put(attribute.name(), value);
            }
            case Node.Target.Several several -> {
                List<Value> values = Rows.list(value, limits);
                if (values.size() != several.targets().size()) {
                    throw new TemplateException("%d values are assigned to %d names".formatted(values.size(), several.targets().size()));
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(several.targets().get(i), values.get(i), scope);
                }
            }
        }
    }
}
