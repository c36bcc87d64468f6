package headscope.cli;

import headscope.picture.RunPage;
import headscope.tensor.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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

    /** Runs all four analyses into a folder, and writes a page of them. */
    static void all(Path folder, PictureFiles pictures) throws IOException {
        List<Path> runs = Stream.of("spectra", "saliency", "functions", "gates").map(folder::resolve).toList();
        new SpectraCommand().run(DemoRequests.spectra(runs.get(0)), System.out, pictures);
        new SaliencyCommand().run(DemoRequests.saliency(runs.get(1)), System.out, pictures);
        new FunctionsCommand().run(DemoRequests.functions(runs.get(2)), System.out, pictures);
        new GatesCommand().run(DemoRequests.gates(runs.get(3)), System.out, pictures);
        Path page = folder.resolve("index.html");
        AtomicFile.write(page, RunPage.of("Four analyses of the demo checkpoint", runs));
        System.out.printf("%nAll four on one page: %s%n", page);
    }
}
