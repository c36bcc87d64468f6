package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.analysis.HeadName;
import headscope.analysis.HeadRanking;
import headscope.analysis.comparison.Comparison;
import headscope.figure.ComparisonFigure;
import headscope.figure.Figure;
import headscope.render.FigureFormat;
import headscope.render.layout.FigureSize;
import headscope.result.ComparisonTable;
import headscope.result.FunctionsResult;
import headscope.result.GatesResult;
import headscope.result.RunFolder;
import headscope.tensor.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares two finished runs head by head. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Compares two finished runs of the same analysis, head by head.",
            "The runs may differ in the model (of the same shape), the data set or the training checkpoint. Draws the"
                    + " difference, RUN2 minus RUN1, writes it as a table, and prints the heads that differ most. If both"
                    + " runs contain values of the same texts, every head is tested (paired Wilcoxon signed-rank test,"
                    + " adjusted for the number of heads)."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope compare runs/base runs/tuned",
            "  ./headscope compare runs/base runs/tuned --show both --out both.svg",
            "  ./headscope compare runs/step-1000 runs/step-9000 --measure entropy \\",
            "      --measure sink_share --out entropy.png"
        })
final class CompareCommand implements Callable<Integer> {
    enum Show {
        DIFFERENCE,
        BOTH
    }

    @Spec
    CommandSpec spec;

    @Parameters(index = "0", paramLabel = "RUN1", description = "Folder of a finished run.")
    Path first;

    @Parameters(index = "1", paramLabel = "RUN2", description = "Folder of another finished run.")
    Path second;

    @Option(names = "--show", paramLabel = "difference|both",
            description = "Draw RUN2 minus RUN1 on a scale symmetric around 0, with a dot where q < 0.05, or both side by side on one"
                    + " scale (default: ${DEFAULT-VALUE}).")
    Show show = Show.DIFFERENCE;

    @Option(names = "--measure", paramLabel = "NAME",
            description = "Measure to compare: a stored metric of spectra, a function, a score of a gates task, or a column of"
                    + " saliency; may be repeated (default: those that the figures of both runs show).")
    List<String> measures = List.of();

    @Option(names = "--out", paramLabel = "FILE",
            description = "File of the figure, .png or .svg; the table has the same name with .csv (default: ${DEFAULT-VALUE}).")
    Path out = Path.of("compare.png");

    @Option(names = "--overwrite", description = "Replace an existing figure and an existing table.")
    boolean overwrite;

    @Option(names = "--top", paramLabel = "N", description = "Print the N heads that differ most; 0 prints none (default: ${DEFAULT-VALUE}).")
    int top = HeadRanking.TOP;

    @Mixin
    PictureOptions options = new PictureOptions();

    @Override
    public Integer call() {
        FigureSize size = options.size();
        options.colormap();
        rejecting(() -> FigureFormat.of(out));
        Path csv = table();
        HeadRanking.requireCount("--top", top);
        Comparison found = Comparison.of(first, second, measures);
        Figure figure = options.applied(figure(found), true);
        try (PictureFiles pictures = new PictureFiles()) {
            rejecting(() -> {
                pictures.write(figure, out, size, Map.of(
                        "Software", HeadscopeCommand.version(),
                        "Command", ShellCommand.of(spec.commandLine().getParent().getParseResult().originalArgs()),
                        "Run", "%s %s".formatted(found.first().text("/run"), found.second().text("/run"))));
                return out;
            });
        }
        found.table().write(csv);
        print(found);
        System.out.printf("%nFigure: %s%nData: %s%n", out, csv);
        return 0;
    }

    /** Beside the figure, but not among the files of a run, whose heads.csv or samples.csv it could replace. */
    private Path table() {
        Path folder = out.toAbsolutePath().getParent();
        require(!Files.exists(folder.resolve(RunFolder.MANIFEST)), "--out %s: %s is the folder of a run; write the comparison into another one"
                .formatted(out, folder));
        String name = out.getFileName().toString();
        Path csv = out.resolveSibling(name.substring(0, name.lastIndexOf('.')) + ".csv");
        for (Path file : List.of(out, csv)) {
            require(!Files.isDirectory(file), file + ": cannot be written: is a folder");
            require(overwrite || !Files.exists(file), file + ": already exists; choose another --out, or use --overwrite");
        }
        return csv;
    }

    private Figure figure(Comparison found) {
        List<String> names = names(first.toAbsolutePath().normalize(), second.toAbsolutePath().normalize());
        String one = names.getFirst();
        String other = names.getLast();
        boolean oneScale = Set.of(FunctionsResult.ANALYSIS, GatesResult.ANALYSIS).contains(found.first().analysis());
        String test = found.untested().isEmpty()
                ? "Means over %d texts; dot: q < 0.05, paired Wilcoxon signed-rank test.".formatted(found.pairs())
                : "";
        return switch (show) {
            case DIFFERENCE -> ComparisonFigure.differences(found.table(), one, other, oneScale,
                    "Difference of two %s runs, %s minus %s. %s".formatted(found.first().analysis(), other, one, test).strip());
            case BOTH -> ComparisonFigure.both(found.table(), one, other, oneScale,
                    "Two %s runs, %s and %s.".formatted(found.first().analysis(), one, other));
        };
    }

    /** The shortest ends of two paths that differ: "a/spectra" and "b/spectra", or "1" and "2" if they are the same. */
    private static List<String> names(Path one, Path other) {
        for (int length = 1; length <= Math.min(one.getNameCount(), other.getNameCount()); length++) {
            Path first = one.subpath(one.getNameCount() - length, one.getNameCount());
            Path second = other.subpath(other.getNameCount() - length, other.getNameCount());
            if (!first.equals(second)) {
                return List.of(first.toString(), second.toString());
            }
        }
        return List.of("1", "2");
    }

    private void print(Comparison found) {
        System.out.println(found.untested().isEmpty()
                ? "Means over the %d texts that both runs have; q: paired Wilcoxon signed-rank test, adjusted for the number of heads (Benjamini-Hochberg)."
                        .formatted(found.pairs())
                : "No test: %s.".formatted(found.untested()));
        for (ComparisonTable.Measure one : found.table().measures()) {
            if (found.untested().isEmpty()) {
                long discovered = IntStream.range(0, one.q().length).filter(one::isDiscovered).count();
                System.out.printf("%n%s: %d of %d heads have q < 0.05.%n", Printable.line(one.name()), discovered, one.q().length);
            } else {
                System.out.printf("%n%s%n", Printable.line(one.name()));
            }
            if (Arrays.stream(one.difference()).allMatch(difference -> difference == 0)) {
                System.out.println("All heads have the same values in both runs.");
            } else if (top > 0) {
                printHeads(one, found.heads());
            }
        }
    }

    private void printHeads(ComparisonTable.Measure one, int heads) {
        System.out.printf("%-8s %12s %12s %12s %12s%n", "head", "RUN1", "RUN2", "difference", "q");
        double[] least = Arrays.stream(one.difference()).map(difference -> -Math.abs(difference)).toArray();
        for (int head : HeadRanking.smallest(top, least)) {
            System.out.printf("%-8s %12.4g %12.4g %+12.4g %12s%n", HeadName.of(head, heads), one.value1()[head],
                    one.value2()[head], one.difference()[head],
                    Double.isNaN(one.q()[head]) ? "" : "%.2g".formatted(one.q()[head]));
        }
    }
}
