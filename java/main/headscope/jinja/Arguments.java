package headscope.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/** The arguments of a call, evaluated. */
record Arguments(List<Value> positional, SequencedMap<String, Value> named) {
    static final Arguments NONE = new Arguments(List.of(), new LinkedHashMap<>());

    static Arguments of(Value... positional) {
        return new Arguments(List.of(positional), new LinkedHashMap<>());
    }

    /** All but the first positional ones. */
    Arguments from(int first) {
        return new Arguments(positional.subList(Math.min(first, positional.size()), positional.size()), named);
    }

    /**
     * Arguments by the position of their parameters; empty where one is absent.
     *
     * @param function   for messages
     * @param parameters names; those after "|" are optional, and those before "/" are positional only
     */
    List<Optional<Value>> bind(String function, String... parameters) {
        List<String> names = new ArrayList<>();
        int required = Integer.MAX_VALUE;
        int positionalOnly = 0;
        for (String parameter : parameters) {
            if (parameter.equals("|")) {
                required = names.size();
            } else if (parameter.equals("/")) {
                positionalOnly = names.size();
            } else {
                names.add(parameter);
            }
        }
        if (positional.size() > names.size()) {
            throw new TemplateException("%s takes at most %d arguments, not %d".formatted(function, names.size(), positional.size()));
        }
        List<Optional<Value>> bound = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            boolean byName = i >= positionalOnly && named.containsKey(names.get(i));
            if (byName && i < positional.size()) {
                throw new TemplateException("%s has several values for %s".formatted(function, names.get(i)));
            }
            bound.add(i < positional.size() ? Optional.of(positional.get(i))
                    : byName ? Optional.of(named.get(names.get(i))) : Optional.empty());
            if (bound.getLast().isEmpty() && i < required) {
                throw new TemplateException("%s needs the argument %s".formatted(function, names.get(i)));
            }
        }
        for (String name : named.keySet()) {
            if (!names.subList(positionalOnly, names.size()).contains(name)) {
                throw new TemplateException("%s has no argument %s".formatted(function, name));
            }
        }
        return bound;
    }
}
