package headscope.cli;

import headscope.cli.terminal.RawArguments;
import headscope.tensor.Printable;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program: its commands, and how it reports errors. */
@Command(
        name = "headscope",
        description = "Measures every attention head of a transformer and draws all of them in one figure.",
        mixinStandardHelpOptions = true,
        versionProvider = HeadscopeCommand.Version.class,
        footer = {
            "",
            "Examples:",
            "  ./headscope demo",
            "  ./headscope spectra --model ~/models/Llama-3.2-1B --texts answers.jsonl \\",
            "      --out runs/llama",
            "  ./headscope render runs/llama --dpi 400 --out llama.png",
            "  ./headscope spectra --help"
        })
public final class HeadscopeCommand implements Runnable {
    /** Exit status for invalid input and for resources that are missing. */
    static final int INVALID_INPUT = 2;

    /** Exit status for errors in the program. */
    static final int INTERNAL_ERROR = 1;

    private static final List<Class<?>> COMMANDS = List.of(
            DemoCommand.class, AnswerCommand.class, SpectraCommand.class, SaliencyCommand.class, FunctionsCommand.class,
            GatesCommand.class, RenderCommand.class, CompareCommand.class, ViewCommand.class, LiveCommand.class,
            InfoCommand.class, DoctorCommand.class,
            SelfTestCommand.class, BenchCommand.class);

    private static final Set<String> VERSION = Set.of("--version", "-V");
    private static final int MAX_LINE = 380;

    /** Clears the line of a terminal, where a bar may show progress. */
    private static final String CLEARED = "\r\033[K";

    @Spec
    CommandSpec spec;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Also print the stack trace of an error.")
    boolean verbose;

    private HeadscopeCommand() {}

    /** Prints the usage if no command is given. */
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** @return the exit status */
    public static int run(String[] arguments) {
        HeadscopeCommand program = new HeadscopeCommand();
        try {
            RawArguments.requireUtf8(List.of(arguments));
            return commandLine(program, needed(List.of(arguments))).execute(arguments);
        } catch (Throwable error) {
            return program.report(error);
        }
    }

    static CommandLine commandLine() {
        return commandLine(new HeadscopeCommand(), COMMANDS);
    }

    /**
     * The commands that these arguments name; all, for the list of commands, if they name none. To read the annotations
     * of all commands takes longer than to start the JVM.
     */
    private static List<Class<?>> needed(List<String> arguments) {
        if (VERSION.contains(String.join(" ", arguments))) {
            return List.of();
        }
        List<Class<?>> named = COMMANDS.stream()
                .filter(command -> arguments.contains(command.getAnnotation(Command.class).name()))
                .toList();
        return named.isEmpty() ? COMMANDS : named;
    }

    private static CommandLine commandLine(HeadscopeCommand program, List<Class<?>> commands) {
        CommandLine line = new CommandLine(program);
        commands.forEach(line::addSubcommand);
        line.setExecutionExceptionHandler((failure, command, parsed) -> program.report(failure));
        line.setParameterExceptionHandler((failure, words) -> reject(failure));
        line.setExpandAtFiles(false); // a text may begin with @
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setDefaultValueProvider(HeadscopeCommand::defaultText);
        return line;
    }

    private static int reject(ParameterException failure) {
        String names = failure instanceof UnmatchedArgumentException unmatched && !unmatched.getSuggestions().isEmpty()
                ? " (did you mean %s?)".formatted(String.join(" or ", unmatched.getSuggestions()))
                : "";
        warn("%s%s; see ./%s --help".formatted(
                failure.getMessage(), names, failure.getCommandLine().getCommandSpec().qualifiedName()));
        return INVALID_INPUT;
    }

    /** The one place that reports whatever ends a command. */
    private int report(Throwable thrown) {
        Failure failure = Failure.of(thrown);
        warn(failure.message());
        if (verbose) {
            thrown.printStackTrace();
        }
        return failure.status();
    }

    /** The initial value of an option as a user types it: 0.0001 and mean rather than 1.0E-4 and MEAN. */
    private static String defaultText(ArgSpec option) {
        return switch (option.initialValue()) {
            case Double value when Double.isFinite(value) ->
                    BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
            case Enum<?> value -> value.name().toLowerCase(Locale.ROOT);
            case null, default -> null;
        };
    }

    /** Prints one line on standard error, after the program's name: escaped, and shortened if it is very long. */
    static void warn(String line) {
        boolean terminal = System.console() != null && System.console().isTerminal();
        System.err.println((terminal ? CLEARED : "") + "headscope: " + Printable.line(line, MAX_LINE));
    }

    static String version() {
        String version = HeadscopeCommand.class.getPackage().getImplementationVersion();
        return "headscope " + (version == null ? "from sources" : version);
    }

    /** The version of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {version()};
        }
    }
}
