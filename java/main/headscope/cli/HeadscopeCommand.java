package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.DeviceException;
import headscope.render.RenderUnavailableException;
import headscope.result.ResultFormatException;
import headscope.result.RunFolderException;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line as a whole: its commands, and how failures reach the user. */
@Command(
        name = "headscope",
        description = "Looks at every attention head of a transformer at once.",
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
            "  ./headscope spectra --model ~/models/Llama-3.2-1B --texts answers.jsonl --out runs/llama",
            "  ./headscope render runs/llama --dpi 400 --out llama.png",
            "  ./headscope spectra --help"
        })
public final class HeadscopeCommand implements Runnable {
    /** Input that cannot be used. */
    private static final int UNUSABLE = 2;

    /** Our own mistake. */
    private static final int BROKEN = 1;

    @Spec
    CommandSpec spec;

    private HeadscopeCommand() {}

    /** Without a command. */
    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }

    /** @return the exit status */
    public static int run(String[] arguments) {
        CommandLine line = new CommandLine(new HeadscopeCommand());
        line.setExecutionExceptionHandler((failure, command, parsed) -> report(failure));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        return line.execute(arguments);
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
            return BROKEN;
        }
        System.err.println("headscope: " + message);
        return UNUSABLE;
    }

    static String version() {
        String version = HeadscopeCommand.class.getPackage().getImplementationVersion();
        return "headscope " + (version == null ? "from sources" : version);
    }

    /** The jar's version. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {version()};
        }
    }
}
