package headscope.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Analyses of the demo checkpoint. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Analyses the demo checkpoint.",
            "A small trained model answers 480 questions; the figure shows which heads distinguish right answers from"
                    + " wrong ones. Writes runs/demo; with --all, runs/demo-all."
        },
        footer = {"", "Examples:", "  ./headscope demo", "  ./headscope demo --all"})
final class DemoCommand implements Callable<Integer> {
    @Option(names = "--all",
            description = "Run all four analyses and write a page of their figures: a few minutes on two cores.")
    boolean all;

    @Override
    public Integer call() throws IOException {
        try (PictureFiles pictures = new PictureFiles()) {
            if (all) {
                all(DemoRequests.HOME.resolve("runs/demo-all"), pictures);
            } else {
                spectra(DemoRequests.HOME.resolve("runs/demo"), pictures);
            }
        }
        return 0;
    }

    private static void spectra(Path out, PictureFiles pictures) {
        System.out.println("480 questions for a model with 5.4 M parameters (12 layers x 12 heads): every head is measured"
                + " on every answer and tested for a difference between right and wrong answers.");
        new SpectraCommand().run(DemoRequests.spectra(out), System.out, pictures);
    }

    /** Runs all four analyses into a folder. */
    static void all(Path folder, PictureFiles pictures) throws IOException {
        Map<String, String> printed = new LinkedHashMap<>();
        printed.put("spectra", print(out ->
                new SpectraCommand().run(DemoRequests.spectra(folder.resolve("spectra")), out, pictures)));
        printed.put("saliency", print(out ->
                new SaliencyCommand().run(DemoRequests.saliency(folder.resolve("saliency")), out, pictures)));
        printed.put("functions", print(out ->
                new FunctionsCommand().run(DemoRequests.functions(folder.resolve("functions")), out, pictures)));
        printed.put("gates", print(out ->
                new GatesCommand().run(DemoRequests.gates(folder.resolve("gates")), out, pictures)));
        System.out.printf("%nAll four on one page: %s%n", DemoPage.write(folder, printed));
    }

    /** Prints the summary of an analysis and returns it. */
    private static String print(Consumer<PrintStream> analysis) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        analysis.accept(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        String text = bytes.toString(StandardCharsets.UTF_8);
        System.out.print(text);
        return text;
    }
}
