package headscope.jinja;

import java.util.List;

/** A position among the tokens of a template. */
final class Cursor {
    private final List<Token> tokens;
    private int position;

    Cursor(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(position);
    }

    Token following() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = current();
        position = Math.min(position + 1, tokens.size() - 1);
        return token;
    }

    boolean is(Token.Kind kind) {
        return current().kind() == kind;
    }

    boolean skipName(String name) {
        if (current().isName(name)) {
            next();
            return true;
        }
        return false;
    }

    boolean skipOperator(String operator) {
        if (current().isOperator(operator)) {
            next();
            return true;
        }
        return false;
    }

    Token expect(Token.Kind kind, String what) {
        if (!is(kind)) {
            throw fault("%s is expected, not %s".formatted(what, current().describe()));
        }
        return next();
    }

    String expectName() {
        return expect(Token.Kind.NAME, "a name").text();
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw fault("\"%s\" is expected, not %s".formatted(name, current().describe()));
        }
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw fault("\"%s\" is expected, not %s".formatted(operator, current().describe()));
        }
    }

    TemplateException fault(String message) {
        return new TemplateException(current().line(), message);
    }
}
