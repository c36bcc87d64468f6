package headscope.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Reads the statements of a template. */
final class Parser {
    private final Cursor cursor;
    private final ExpressionParser expressions;

    /** Loops around the current statement that {@code break} can leave. */
    private int loops;

    private Parser(List<Token> tokens) {
        this.cursor = new Cursor(tokens);
        this.expressions = new ExpressionParser(cursor);
    }

    static List<Node> parse(List<Token> tokens) {
        Parser parser = new Parser(tokens);
        List<Node> nodes = parser.until(Set.of());
        return nodes;
    }

    /** Statements up to a tag with one of the names, which is the current token afterwards; up to the end for none. */
    private List<Node> until(Set<String> ends) {
        List<Node> nodes = new ArrayList<>();
        while (true) {
            Token token = cursor.next();
            switch (token.kind()) {
                case DATA -> nodes.add(new Node.Text(token.line(), token.text()));
                case PRINT -> {
                    nodes.add(new Node.Print(token.line(), expressions.tuple(true)));
                    cursor.expect(Token.Kind.PRINT_END, "}}");
                }
                case TAG -> {
                    if (cursor.is(Token.Kind.NAME) && ends.contains(cursor.current().text())) {
                        return nodes;
                    }
                    nodes.addAll(statement(ends));
                    cursor.expect(Token.Kind.TAG_END, "%}");
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw new TemplateException(token.line(), "{%% %s %%} is missing".formatted(
                                ends.stream().filter(end -> end.startsWith("end")).findFirst().orElseThrow()));
                    }
                    return nodes;
                }
            }
        }
    }

    private List<Node> statement(Set<String> ends) {
        int line = cursor.current().line();
        String tag = cursor.expectName();
        return switch (tag) {
            case "if" -> List.of(conditional(line));
            case "for" -> List.of(loop(line));
            case "set" -> List.of(assignment(line));
            case "macro" -> List.of(macro(line));
            case "with" -> List.of(with(line));
            case "print" -> prints(line);
            case "filter" -> {
                List<Expr.FilterCall> filters = filters(new ArrayList<>(List.of(expressions.filter())));
                yield List.of(new Node.FilterBlock(line, filters, withoutLoops(() -> body("endfilter"))));
            }
            case "generation" -> List.of(new Node.Generation(line, withoutLoops(() -> body("endgeneration"))));
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new TemplateException(line, "{%% %s %%} is outside a loop".formatted(tag));
                }
                yield List.of(tag.equals("break") ? new Node.Break(line) : new Node.Continue(line));
            }
            default -> throw new TemplateException(line, tag.startsWith("end") || tag.equals("else") || tag.equals("elif")
                    ? "{%% %s %%} is found where %s is expected".formatted(tag, ends.isEmpty() ? "no end" : String.join(" or ", ends.stream().sorted().toList()))
                    : "the tag {%% %s %%} is not supported".formatted(tag));
        };
    }

    /** The body up to an end tag, which is read. */
    private List<Node> body(String end) {
        openBody();
        List<Node> body = until(Set.of(end));
        cursor.next();
        return body;
    }

    private void openBody() {
        cursor.skipOperator(":");
        cursor.expect(Token.Kind.TAG_END, "%}");
    }

    /** Jinja2 compiles such a body to text or a function of its own, which cannot leave a loop around it. */
    private List<Node> withoutLoops(Supplier<List<Node>> read) {
        int around = loops;
        loops = 0;
        List<Node> body = read.get();
        loops = around;
        return body;
    }

    private Node conditional(int line) {
        Expr test = expressions.tuple(false);
        openBody();
        List<Node> body = until(Set.of("elif", "else", "endif"));
        int next = cursor.current().line();
        return switch (cursor.next().text()) {
            case "elif" -> new Node.If(line, test, body, List.of(conditional(next)));
            case "else" -> new Node.If(line, test, body, body("endif"));
            default -> new Node.If(line, test, body, List.of());
        };
    }

    private Node loop(int line) {
        Node.Target target = target(false);
        cursor.expectName("in");
        Expr values = expressions.tuple(false);
        Optional<Expr> test = cursor.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
        if (cursor.current().isName("recursive")) {
            throw cursor.fault("a recursive loop is not supported");
        }
        openBody();
        loops++;
        List<Node> body = until(Set.of("else", "endfor"));
        loops--;
        List<Node> otherwise = cursor.next().text().equals("else") ? body("endfor") : List.of();
        return new Node.For(line, target, values, test, body, otherwise);
    }

    private Node assignment(int line) {
        Node.Target target = target(true);
        if (cursor.skipOperator("=")) {
            return new Node.Set(line, target, expressions.tuple(true));
        }
        List<Expr.FilterCall> filters = filters(new ArrayList<>());
        return new Node.SetBlock(line, target, filters, withoutLoops(() -> body("endset")));
    }

    private List<Expr.FilterCall> filters(List<Expr.FilterCall> filters) {
        while (cursor.skipOperator("|")) {
            filters.add(expressions.filter());
        }
        return filters;
    }

    private Node macro(int line) {
        String name = cursor.expectName();
        List<String> parameters = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        cursor.expectOperator("(");
        while (!cursor.skipOperator(")")) {
            parameters.add(cursor.expectName());
            if (cursor.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw cursor.fault("a parameter without a default follows one with a default");
            }
            if (!cursor.current().isOperator(")")) {
                cursor.expectOperator(",");
            }
        }
        return new Node.Macro(line, name, parameters, defaults, withoutLoops(() -> body("endmacro")));
    }

    private Node with(int line) {
        List<Node.Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!cursor.is(Token.Kind.TAG_END)) {
            if (!targets.isEmpty()) {
                cursor.expectOperator(",");
            }
            targets.add(target(false));
            cursor.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Node.With(line, targets, values, body("endwith"));
    }

    private List<Node> prints(int line) {
        List<Node> prints = new ArrayList<>();
        while (!cursor.is(Token.Kind.TAG_END)) {
            if (!prints.isEmpty()) {
                cursor.expectOperator(",");
            }
            prints.add(new Node.Print(line, expressions.expression()));
        }
        return prints;
    }

    private Node.Target target(boolean namespace) {
        List<Node.Target> targets = new ArrayList<>();
        boolean several = false;
        do {
            if (cursor.is(Token.Kind.TAG_END) || cursor.current().isOperator(")") || cursor.current().isName("in")) {
                break;
            }
            targets.add(oneTarget(namespace));
            several |= cursor.current().isOperator(",");
        } while (cursor.skipOperator(","));
        if (targets.isEmpty()) {
            throw cursor.fault("a name is expected, not " + cursor.current().describe());
        }
        return several ? new Node.Target.Several(targets) : targets.getFirst();
    }

    private Node.Target oneTarget(boolean namespace) {
        if (cursor.skipOperator("(")) {
            Node.Target inside = target(false);
            cursor.expectOperator(")");
            return inside;
        }
        Token token = cursor.expect(Token.Kind.NAME, "a name");
        if (Set.of("true", "false", "none", "True", "False", "None", "loop").contains(token.text())) {
            throw new TemplateException(token.line(), "%s cannot be assigned to".formatted(token.text()));
        }
        return namespace && cursor.skipOperator(".")
                ? new Node.Target.Attribute(token.text(), cursor.expectName())
                : new Node.Target.Variable(token.text());
    }
}
