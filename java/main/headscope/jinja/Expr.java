package headscope.jinja;

import java.util.List;
import java.util.Optional;

/** An expression of a template. */
sealed interface Expr {
    /** A constant. */
    record Literal(Value value) implements Expr {}

    /** A variable. */
    record Name(String name) implements Expr {}

    /** A list or a tuple. */
    record Row(Value.Row.Kind kind, List<Expr> values) implements Expr {}

    /** A dict; keys and values by position. */
    record Dict(List<Expr> keys, List<Expr> values) implements Expr {}

    /** {@code value if test else otherwise}. */
    record Conditional(Expr test, Expr value, Optional<Expr> otherwise) implements Expr {}

    /** {@code a and b}. */
    record And(Expr left, Expr right) implements Expr {}

    /** {@code a or b}. */
    record Or(Expr left, Expr right) implements Expr {}

    /** {@code not a}. */
    record Not(Expr operand) implements Expr {}

    /** {@code a < b <= c}: the operators stand between the operands. */
    record Compare(List<Expr> operands, List<String> operators) implements Expr {}

    /** Arithmetic of two operands. */
    record Binary(String operator, Expr left, Expr right) implements Expr {}

    /** A sign. */
    record Sign(boolean minus, Expr operand) implements Expr {}

    /** {@code a ~ b}. */
    record Concat(List<Expr> parts) implements Expr {}

    /** {@code a.name}. */
    record Attribute(Expr target, String name) implements Expr {}

    /** {@code a[key]}. */
    record Item(Expr target, Expr key) implements Expr {}

    /** {@code a[from:to:step]}. */
    record Slice(Expr target, Optional<Expr> from, Optional<Expr> to, Optional<Expr> step) implements Expr {}

    /** {@code a(...)}. */
    record Call(Expr target, Passed arguments) implements Expr {}

    /** {@code a|name(...)}. */
    record Filter(Expr target, FilterCall filter) implements Expr {}

    /** {@code a is name(...)}. */
    record Test(Expr target, String name, Passed arguments) implements Expr {}

    /** A filter without what it filters. */
    record FilterCall(String name, Passed arguments) {}

    /** The arguments of a call; names and named values by position. */
    record Passed(List<Expr> positional, List<String> names, List<Expr> named) {
        static final Passed NOTHING = new Passed(List.of(), List.of(), List.of());
    }
}
