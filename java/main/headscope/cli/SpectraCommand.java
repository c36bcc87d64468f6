package headscope.cli;

import headscope.analysis.spectra.Spectra;
import headscope.analysis.spectra.SpectraRequest;
import headscope.analysis.spectra.SpectraSummary;
import headscope.analysis.statistics.ProbeResult;
import java.io.PrintStream;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Attention score and Laplacian eigenvalues of every head, tested between two groups of texts. */
@Command(
        name = "spectra",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Tests every head between right and wrong answers (or two labelled groups of texts): attention"
                + " score and Laplacian eigenvalues, as two layer x head heatmaps of p-values.",
        footer = {
            "",
            "Examples:",
            "  ./headscope spectra --model models/demo --texts data/qa.jsonl --max-new-tokens 1",
            "  ./headscope spectra --model ~/models/Qwen3-0.6B --texts qa.jsonl --k 50 --out runs/qwen3",
            "  cat texts.jsonl | ./headscope spectra --model ~/models/gpt2 --texts - --limit 200"
        })
final class SpectraCommand extends AnalysisCommand {
    @Mixin
    SpectraOptions options;

    @Override
    void run(List<String> typed) {
        run(options.request(typed));
    }

    /** The whole analysis, told on the terminal. */
    static void run(SpectraRequest request) {
        PrintStream out = System.out;
        try (Spectra spectra = Spectra.open(request, System.in)) {
            resumable("observing", "texts", "text", spectra::observe);
            SpectraSummary found = spectra.write();
            print(found, out);
            boolean drawn = !PictureFiles.drawIfPossible(spectra.folder(), request.run().out()).isEmpty();
            spectra.commit();
            if (drawn) {
                out.printf("%nThe picture: %s%nTwo heatmaps, a row per layer and a column per head: near black where"
                        + " %s differ (small p), light where they do not.%n", request.run().out().resolve("spectra.png"),
                        found.answered() ? "right and wrong answers" : "texts of label 0 and 1");
            }
            out.printf("All numbers: %s (heads.csv, samples.csv, values.safetensors, manifest.json)%n", request.run().out());
        }
    }

    private static void print(SpectraSummary found, PrintStream out) {
        out.printf("%n%s%s%n%n", found.classes(),
                found.skipped() == 0 ? "" : "; %d texts skipped as too short".formatted(found.skipped()));
        out.printf("%-12s %14s %14s%n", "heads with", "p < 0.05", "q < 0.05");
        found.shareP().forEach((metric, share) -> out.printf(
                "%-12s %13.1f%% %13.1f%%%n", metric, 100 * share, 100 * found.shareQ().get(metric)));
        out.printf("By chance alone about %d of %d heads would have p < 0.05; q is corrected for that"
                + " (Benjamini-Hochberg).%n%n", found.byChance(), found.heads());
        out.printf("%-30s %8s %8s%n", "AUROC of " + (found.answered() ? "wrong answers" : "label 1"), "mean", "spread");
        out.printf("%-30s %8.3f %8s%n", "AttentionScore (untrained)", found.unsupervised(), "");
        found.probes().forEach((feature, probe) -> {
            switch (probe) {
                case ProbeResult.Measured measured -> out.printf(
                        "%-30s %8.3f %8.3f%n", feature, measured.auroc(), measured.deviation());
                case ProbeResult.Absent absent -> out.printf("%-30s %s%n", feature, absent.reason());
            }
        });
    }
}
