package headscope.cli;

import headscope.analysis.spectra.SpectraRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The spectra of the checkpoint that comes along. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Lets a small trained model answer 480 questions and draws which heads tell right answers from"
                + " wrong ones. Results: runs/demo. With --all, all four analyses and a page that shows them: runs/demo-all.",
        footer = {"", "Examples:", "  ./headscope demo", "  ./headscope demo --all"})
final class DemoCommand implements Callable<Integer> {
    /** Where the launcher says that the program lives. */
    private static final Path HOME = Path.of(System.getProperty("headscope.home", "."));

    @Option(names = "--all", description = "Spectra, saliency, functions and gates, a few minutes on two cores.")
    boolean all;

    @Override
    public Integer call() throws IOException {
        return all ? all() : spectra();
    }

    private static int all() throws IOException {
        Path folder = HOME.resolve("runs/demo-all");
        Map<String, List<String>> analyses = new LinkedHashMap<>();
        analyses.put("spectra", List.of("--texts", data("qa"), "--max-new-tokens", "1"));
        analyses.put("saliency", List.of(
                "--text", "<CHI> painted a picture of a horse <CHI> my favorite animal is the",
                "--groups", "0-6:<ENV>,7-12:<LAN>", "--objective", "logit-difference:cow", "--skip-first"));
        analyses.put("functions", List.of("--texts", data("functions"), "--mask", "elbow"));
        analyses.put("gates", List.of("--task", "Math=" + data("math"), "--task", "Syntax=" + data("syntax"), "--quick"));
        Map<String, String> told = new LinkedHashMap<>();
        for (Map.Entry<String, List<String>> analysis : analyses.entrySet()) {
            List<String> command = new ArrayList<>(List.of(
                    analysis.getKey(), "--model", HOME.resolve("models/demo").toString(), "--out",
                    folder.resolve(analysis.getKey()).toString(), "--overwrite"));
            command.addAll(analysis.getValue());
            ByteArrayOutputStream heard = new ByteArrayOutputStream();
            PrintStream terminal = System.out;
            System.setOut(new PrintStream(heard, true, StandardCharsets.UTF_8));
            int status;
            try {
                status = HeadscopeCommand.run(command.toArray(String[]::new));
            } finally {
                System.setOut(terminal);
            }
            System.out.print(heard.toString(StandardCharsets.UTF_8));
            if (status != 0) {
                return status;
            }
            told.put(analysis.getKey(), heard.toString(StandardCharsets.UTF_8));
        }
        System.out.printf("%nAll four on one page: %s%n", DemoPage.write(folder, told));
        return 0;
    }

    private static String data(String name) {
        return HOME.resolve("data/" + name + ".jsonl").toString();
    }

    private static int spectra() {
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
