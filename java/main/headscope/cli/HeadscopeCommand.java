package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.DeviceException;
import headscope.render.RenderUnavailableException;
import headscope.result.ResultFormatException;
import headscope.result.RunFolderException;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The program: its commands, and how it reports errors. */
@Command(
        name = "headscope",
        description = "Measures every attention head of a transformer and draws all of them in one figure.",
        mixinStandardHelpOptions = true,
        versionProvider = HeadscopeCommand.Version.class,
        subcommands = {
            DemoCommand.class, SpectraCommand.class, SaliencyCommand.class, FunctionsCommand.class, GatesCommand.class,
            RenderCommand.class, InfoCommand.class, DoctorCommand.class, SelfTestCommand.class, BenchCommand.class
        },
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
    private static final int INVALID_INPUT = 2;

    /** Exit status for errors in the program. */
    private static final int INTERNAL_ERROR = 1;

    @Spec
    CommandSpec spec;

    private HeadscopeCommand() {}

    /** Prints the usage if no command is given. */
    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }

    /** @return the exit status */
    public static int run(String[] arguments) {
        return commandLine().execute(arguments);
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new HeadscopeCommand());
        line.setExecutionExceptionHandler((failure, command, parsed) -> report(failure));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setDefaultValueProvider(HeadscopeCommand::defaultText);
        return line;
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

    /** Prints one line on standard error, after the program's name. */
    static void warn(String line) {
        System.err.println("headscope: " + line);
    }

    private static int report(Exception failure) {
        String message = switch (failure) {
            case InputException e -> e.getMessage();
            case DeviceException e -> e.getMessage();
            case ModelFormatException e -> e.getMessage();
            case ResultFormatException e -> e.getMessage();
            case RunFolderException e -> e.getMessage();
            case RenderUnavailableException e -> e.getMessage();
            case IllegalArgumentException e -> e.getMessage();
            case UncheckedIOException e -> e.getMessage();
            case IOException e -> e.getMessage();
            default -> "";
        };
        if (message == null || message.isEmpty()) {
            failure.printStackTrace();
            return INTERNAL_ERROR;
        }
        warn(message);
        return INVALID_INPUT;
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
