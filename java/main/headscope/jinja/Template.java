package headscope.jinja;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A chat template: the part of Jinja2 3.1 that chat templates use, configured as in transformers (trim_blocks,
 * lstrip_blocks, break and continue, the generation tag, tojson without escapes for HTML, raise_exception and
 * strftime_now). What is not supported is rejected by name, because a prompt that differs from that of transformers
 * would change every number computed from it.
 *
 * @see <a href="https://jinja.palletsprojects.com/en/stable/templates/">Jinja2, Template Designer Documentation</a>
 */
public final class Template {
    private final List<Node> nodes;
    private final Set<String> names;

    private Template(List<Node> nodes, Set<String> names) {
        this.nodes = nodes;
        this.names = names;
    }

    /** @throws TemplateException if the source is not a template or has a tag that is not supported */
    public static Template parse(String source) {
        try {
            List<Token> tokens = Lexer.tokens(source);
            Set<String> names = tokens.stream().filter(token -> token.kind() == Token.Kind.NAME).map(Token::text)
                    .collect(Collectors.toUnmodifiableSet());
            return new Template(Parser.parse(tokens), names);
        } catch (StackOverflowError deep) {
            throw nested();
        }
    }

    /** Whether a name occurs anywhere in the template's tags. */
    public boolean mentions(String name) {
        return names.contains(name);
    }

    /**
     * Renders the template.
     *
     * @param clock what strftime_now writes
     * @param input characters of the variables; time and memory are bounded by a multiple
     * @throws TemplateException if the template rejects the variables, uses an unsupported feature, or takes too long
     */
    public String render(Map<String, Value> variables, Clock clock, long input) {
        Limits limits = new Limits(input);
        Printing printing = new Printing(limits);
        Scope scope = Scope.outermost(new Globals(limits, printing, clock).functions());
        variables.forEach(scope::set);
        try {
            return new Renderer(limits, printing, new Evaluator(limits, printing)).text(nodes, scope);
        } catch (StackOverflowError deep) {
            throw nested();
        }
    }

    /** Whatever was changed before the error is discarded, so that the error is safe to catch. */
    private static TemplateException nested() {
        return new TemplateException("the template is nested too deeply");
    }
}
