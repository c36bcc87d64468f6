package headscope.cli.terminal;

import static headscope.analysis.InputException.require;

import java.lang.reflect.Field;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options on a command line, to reject those that would have no effect. */
public final class GivenOptions {
    private GivenOptions() {}

    /** The first one that is chosen; empty if there is none. */
    public static Optional<String> first(ParseResult parsed, Predicate<OptionSpec> chosen) {
        return parsed.matchedOptions().stream().filter(chosen).map(OptionSpec::longestName).findFirst();
    }

    /**
     * Rejects options.
     *
     * @param message from the first one's name
     */
    public static void refuse(ParseResult parsed, Predicate<OptionSpec> without, UnaryOperator<String> message) {
        first(parsed, without).ifPresent(name -> require(false, message.apply(name)));
    }

    public static Predicate<OptionSpec> named(String... names) {
        Set<String> all = Set.of(names);
        return option -> all.contains(option.longestName());
    }

    /** The options that are fields of these classes. */
    public static Predicate<OptionSpec> of(Class<?>... owners) {
        Set<Class<?>> all = Set.of(owners);
        return option -> option.userObject() instanceof Field field && all.contains(field.getDeclaringClass());
    }
}
