package headscope.jinja;

import java.util.List;
import java.util.Optional;

/** A statement of a template. */
sealed interface Node {
    /** Line in the template, from 1. */
    int line();

    /** What stands outside of tags. */
    record Text(int line, String text) implements Node {}

    /** <code>{{ value }}</code>. */
    record Print(int line, Expr value) implements Node {}

    /** {@code if}; an {@code elif} is an if in {@code otherwise}. */
    record If(int line, Expr test, List<Node> body, List<Node> otherwise) implements Node {}

    /** {@code for}. */
    record For(int line, Target target, Expr values, Optional<Expr> test, List<Node> body, List<Node> otherwise)
            implements Node {}

    /** {@code set a = b}. */
    record Set(int line, Target target, Expr value) implements Node {}

    /** {@code set} around text. */
    record SetBlock(int line, Target target, List<Expr.FilterCall> filters, List<Node> body) implements Node {}

    /** @param defaults of the last parameters */
    record Macro(int line, String name, List<String> parameters, List<Expr> defaults, List<Node> body) implements Node {}

    /** {@code with}; targets and values by position. */
    record With(int line, List<Target> targets, List<Expr> values, List<Node> body) implements Node {}

    /** {@code filter} around text. */
    record FilterBlock(int line, List<Expr.FilterCall> filters, List<Node> body) implements Node {}

    /** The tag of transformers around what the assistant says. */
    record Generation(int line, List<Node> body) implements Node {}

    /** {@code break}. */
    record Break(int line) implements Node {}

    /** {@code continue}. */
    record Continue(int line) implements Node {}

    /** What is assigned to. */
    sealed interface Target {
        /** A name. */
        record Variable(String name) implements Target {}

        /** An attribute of a namespace. */
        record Attribute(String namespace, String name) implements Target {}

        /** Several, from a row. */
        record Several(List<Target> targets) implements Target {}
    }
}
