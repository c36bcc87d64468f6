package headscope.cli.terminal;

import headscope.analysis.InputException;
import java.lang.reflect.Field;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options on a command line, to reject those that would have no effect. */
public final class GivenOptions {
    private GivenOptions() {}

    /**
     * Rejects options.
     *
     * @param without those that have no effect here
     * @param message from the first one's name
     */
    public static void refuse(ParseResult parsed, Predicate<OptionSpec> without, UnaryOperator<String> message) {
        parsed.matchedOptions().stream().filter(without).map(OptionSpec::longestName).findFirst().ifPresent(name -> {
            throw new InputException(message.apply(name));
        });
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
