package headscope.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Reads expressions by the grammar of Jinja2 3.1, whose precedence differs from Python's at filters and {@code ~}. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    /** Names that have a meaning of their own inside a macro. */
    private static final Set<String> MACRO_NAMES = Set.of("caller", "varargs", "kwargs");

    private final Cursor cursor;

    ExpressionParser(Cursor cursor) {
        this.cursor = cursor;
    }

    /** An expression, or a tuple without parentheses; before an end of {@code for} without a condition of its own. */
    Expr tuple(boolean conditional) {
        return tuple(() -> conditional ? expression() : or(), false);
    }

    private Expr tuple(Supplier<Expr> part, boolean mayBeEmpty) {
        List<Expr> parts = new ArrayList<>();
        boolean several = false;
        do {
            if (cursor.is(Token.Kind.PRINT_END) || cursor.is(Token.Kind.TAG_END) || cursor.current().isOperator(")")
                    || cursor.current().isName("recursive")) {
                break;
            }
            parts.add(part.get());
            several |= cursor.current().isOperator(",");
        } while (cursor.skipOperator(","));
        if (!several && !parts.isEmpty()) {
            return parts.getFirst();
        }
        if (!several && !mayBeEmpty) {
            throw cursor.fault("an expression is expected, not " + cursor.current().describe());
        }
        return new Expr.Row(Value.Row.Kind.TUPLE, parts);
    }

    Expr expression() {
        Expr value = or();
        while (cursor.skipName("if")) {
            Expr test = or();
            Optional<Expr> otherwise = cursor.skipName("else") ? Optional.of(expression()) : Optional.empty();
            value = new Expr.Conditional(test, value, otherwise);
        }
        return value;
    }

    private Expr or() {
        Expr left = and();
        while (cursor.skipName("or")) {
            left = new Expr.Or(left, and());
        }
        return left;
    }

    private Expr and() {
        Expr left = not();
        while (cursor.skipName("and")) {
            left = new Expr.And(left, not());
        }
        return left;
    }

    private Expr not() {
        return cursor.skipName("not") ? new Expr.Not(not()) : comparison();
    }

    private Expr comparison() {
        List<Expr> operands = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        while (true) {
            Token token = cursor.current();
            if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                operators.add(cursor.next().text());
            } else if (cursor.skipName("in")) {
                operators.add("in");
            } else if (token.isName("not") && cursor.following().isName("in")) {
                cursor.next();
                cursor.next();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        return operators.isEmpty() ? operands.getFirst() : new Expr.Compare(operands, operators);
    }

    private Expr sum() {
        return binary(Set.of("+", "-"), this::concatenation);
    }

    private Expr concatenation() {
        List<Expr> parts = new ArrayList<>(List.of(product()));
        while (cursor.skipOperator("~")) {
            parts.add(product());
        }
        return parts.size() == 1 ? parts.getFirst() : new Expr.Concat(parts);
    }

    private Expr product() {
        return binary(Set.of("*", "/", "//", "%"), this::power);
    }

    private Expr power() {
        Expr left = signed(true);
        while (cursor.current().isOperator("**")) {
            Token token = cursor.next();
            Expr right = signed(true);
            if (left instanceof Expr.Sign && !(right instanceof Expr.Literal)) {
                // Jinja2 folds -1 ** x into Python's -1 ** x, which is -(1 ** x)
                throw new TemplateException(token.line(), "a power of a signed number is not supported");
            }
            left = new Expr.Binary("**", left, right);
        }
        return left;
    }

    private Expr binary(Set<String> operators, Supplier<Expr> operand) {
        Expr left = operand.get();
        while (cursor.is(Token.Kind.OPERATOR) && operators.contains(cursor.current().text())) {
            String operator = cursor.next().text();
            left = new Expr.Binary(operator, left, operand.get());
        }
        return left;
    }

    private Expr signed(boolean filtered) {
        Expr value;
        if (cursor.skipOperator("-")) {
            value = new Expr.Sign(true, signed(false));
        } else if (cursor.skipOperator("+")) {
            value = new Expr.Sign(false, signed(false));
        } else {
            value = primary();
        }
        value = subscripted(value);
        return filtered ? filtered(value) : value;
    }

    private Expr primary() {
        Token token = cursor.next();
        return switch (token.kind()) {
            case NAME -> switch (token.text()) {
                case "true", "True" -> new Expr.Literal(Value.of(true));
                case "false", "False" -> new Expr.Literal(Value.of(false));
                case "none", "None" -> new Expr.Literal(Value.None.NONE);
                default -> name(token);
            };
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (cursor.is(Token.Kind.STRING)) {
                    text.append(cursor.next().text());
                }
                yield new Expr.Literal(Value.of(text.toString()));
            }
            case INTEGER -> new Expr.Literal(new Value.Int(integer(token)));
            case FLOAT -> new Expr.Literal(new Value.Real(Double.parseDouble(token.text())));
            case OPERATOR -> switch (token.text()) {
                case "(" -> {
                    Expr inside = tuple(this::expression, true);
                    cursor.expectOperator(")");
                    yield inside;
                }
                case "[" -> list();
                case "{" -> dict();
                default -> throw unexpected(token);
            };
            default -> throw unexpected(token);
        };
    }

    private static TemplateException unexpected(Token token) {
        return new TemplateException(token.line(), "an expression is expected, not " + token.describe());
    }

    private static Expr name(Token token) {
        if (MACRO_NAMES.contains(token.text())) {
            throw new TemplateException(token.line(), "the name %s is not supported".formatted(token.text()));
        }
        return new Expr.Name(token.text());
    }

    private static long integer(Token token) {
        try {
            String text = token.text().toLowerCase(Locale.ROOT);
            return switch (text.length() > 1 ? text.substring(0, 2) : "") {
                case "0x" -> Long.parseLong(text.substring(2), 16);
                case "0o" -> Long.parseLong(text.substring(2), 8);
                case "0b" -> Long.parseLong(text.substring(2), 2);
                default -> Long.parseLong(text);
            };
        } catch (NumberFormatException large) {
            throw new TemplateException(token.line(), "the number %s exceeds 64 bits".formatted(token.text()));
        }
    }

    private Expr list() {
        List<Expr> values = new ArrayList<>();
        while (!cursor.skipOperator("]")) {
            values.add(expression());
            if (!cursor.current().isOperator("]")) {
                cursor.expectOperator(",");
            }
        }
        return new Expr.Row(Value.Row.Kind.LIST, values);
    }

    private Expr dict() {
        List<Expr> keys = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!cursor.skipOperator("}")) {
            keys.add(expression());
            cursor.expectOperator(":");
            values.add(expression());
            if (!cursor.current().isOperator("}")) {
                cursor.expectOperator(",");
            }
        }
        return new Expr.Dict(keys, values);
    }

    private Expr subscripted(Expr target) {
        Expr value = target;
        while (true) {
            if (cursor.skipOperator(".")) {
                Token name = cursor.next();
                value = switch (name.kind()) {
                    case NAME -> new Expr.Attribute(value, name.text());
                    case INTEGER -> new Expr.Item(value, new Expr.Literal(new Value.Int(integer(name))));
                    default -> throw new TemplateException(name.line(), "a name is expected after \".\", not " + name.describe());
                };
            } else if (cursor.skipOperator("[")) {
                value = subscript(value);
                cursor.expectOperator("]");
            } else if (cursor.current().isOperator("(")) {
                value = new Expr.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expr subscript(Expr target) {
        Optional<Expr> from = cursor.current().isOperator(":") ? Optional.empty() : Optional.of(expression());
        if (!cursor.skipOperator(":")) {
            return new Expr.Item(target, from.orElseThrow());
        }
        Optional<Expr> to = bound();
        Optional<Expr> step = cursor.skipOperator(":") ? bound() : Optional.empty();
        return new Expr.Slice(target, from, to, step);
    }

    private Optional<Expr> bound() {
        return cursor.current().isOperator(":") || cursor.current().isOperator("]")
                ? Optional.empty() : Optional.of(expression());
    }

    private Expr filtered(Expr target) {
        Expr value = target;
        while (true) {
            if (cursor.current().isOperator("|")) {
                cursor.next();
                value = new Expr.Filter(value, filter());
            } else if (cursor.skipName("is")) {
                value = test(value);
            } else if (cursor.current().isOperator("(")) {
                value = new Expr.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /** A filter's name and arguments. */
    Expr.FilterCall filter() {
        String name = withoutDot(cursor.expectName());
        return new Expr.FilterCall(name, cursor.current().isOperator("(") ? arguments() : Expr.Passed.NOTHING);
    }

    /** Jinja2 parses a name with dots as that of a filter or a test, but defines none. */
    private String withoutDot(String name) {
        if (cursor.current().isOperator(".")) {
            throw cursor.fault("\"%s\" is followed by \".\"; parentheses are needed".formatted(name));
        }
        return name;
    }

    private Expr test(Expr target) {
        boolean negated = cursor.skipName("not");
        String name = withoutDot(cursor.expectName());
        Expr.Passed passed = Expr.Passed.NOTHING;
        if (cursor.current().isOperator("(")) {
            passed = arguments();
        } else if (startsArgument(cursor.current())) {
            if (cursor.current().isName("is")) {
                throw cursor.fault("tests cannot be chained with \"is\"");
            }
            passed = new Expr.Passed(List.of(subscripted(primary())), List.of(), List.of());
        }
        Expr test = new Expr.Test(target, name, passed);
        return negated ? new Expr.Not(test) : test;
    }

    private static boolean startsArgument(Token token) {
        return switch (token.kind()) {
            case NAME -> !Set.of("else", "or", "and").contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
    }

    private Expr.Passed arguments() {
        cursor.expectOperator("(");
        List<Expr> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expr> named = new ArrayList<>();
        while (!cursor.skipOperator(")")) {
            if (cursor.current().isOperator("*") || cursor.current().isOperator("**")) {
                throw cursor.fault("arguments with %s are not supported".formatted(cursor.current().text()));
            } else if (cursor.is(Token.Kind.NAME) && cursor.following().isOperator("=")) {
                names.add(cursor.next().text());
                cursor.next();
                named.add(expression());
            } else if (names.isEmpty()) {
                positional.add(expression());
            } else {
                throw cursor.fault("a positional argument follows a keyword argument");
            }
            if (!cursor.current().isOperator(")")) {
                cursor.expectOperator(",");
            }
        }
        return new Expr.Passed(positional, names, named);
    }
}
