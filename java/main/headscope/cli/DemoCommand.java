package headscope.cli;

import headscope.analysis.SpectraRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The spectra of the checkpoint that comes along. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Lets a small trained model answer 480 questions and draws which heads tell right answers from"
                + " wrong ones. Results: runs/demo.",
        footer = {"", "Example:", "  ./headscope demo"})
final class DemoCommand implements Callable<Integer> {
    /** Where the launcher says that the program lives. */
    private static final Path HOME = Path.of(System.getProperty("headscope.home", "."));

    @Override
    public Integer call() {
        List<String> command = List.of(
                "spectra", "--model", HOME.resolve("models/demo").toString(),
                "--texts", HOME.resolve("data/qa.jsonl").toString(),
                "--max-new-tokens", "1", "--out", HOME.resolve("runs/demo").toString(), "--overwrite");
        SpectraOptions options = new SpectraOptions();
        CommandLine line = new CommandLine(new Holder(options));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.parseArgs(command.subList(1, command.size()).toArray(String[]::new));
        SpectraRequest request = options.request(command);
        System.out.println("480 questions for a 5.4 M parameter model (12 layers x 12 heads); every head of every"
                + " answer is measured, then right answers are tested against wrong ones.");
        SpectraCommand.run(request);
        return 0;
    }

    /** Gives the options their defaults. */
    @Command
    private record Holder(@CommandLine.Mixin SpectraOptions options) {}
}
