package headscope.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Variables, and those of the blocks around. */
final class Scope {
    private final Optional<Scope> around;
    private final Map<String, Value> variables = new HashMap<>();

    private Scope(Optional<Scope> around) {
        this.around = around;
    }

    static Scope outermost(Map<String, Value> variables) {
        Scope scope = new Scope(Optional.empty());
        scope.variables.putAll(variables);
        return scope;
    }

    Scope inner() {
        return new Scope(Optional.of(this));
    }

    Value get(String name) {
        for (Optional<Scope> scope = Optional.of(this); scope.isPresent(); scope = scope.get().around) {
            Value found = scope.get().variables.get(name);
            if (found != null) {
                return found;
            }
        }
        return Value.undefined(name);
    }

    void set(String name, Value value) {
        variables.put(name, value);
    }
}
