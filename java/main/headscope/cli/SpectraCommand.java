package headscope.cli;

import headscope.analysis.RunRequest;
import headscope.analysis.spectra.Spectra;
import headscope.analysis.spectra.SpectraRequest;
import headscope.analysis.spectra.SpectraSummary;
import headscope.analysis.statistics.ProbeResult;
import java.io.PrintStream;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Tests attention score and Laplacian eigenvalues of every head between two groups of texts. */
@Command(
        name = "spectra",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = "headscope spectra --model DIR --texts FILE [OPTIONS]",
        description = {
            "Tests every head for a difference between two groups of texts.",
            "The groups are right and wrong answers, or texts with label 0 and label 1. Attention score and Laplacian"
                    + " eigenvalues are tested; the p-values are drawn as two layers x heads heatmaps."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope spectra --model models/demo --texts data/qa.jsonl \\",
            "      --max-new-tokens 1",
            "  ./headscope spectra --model ~/models/Qwen3-0.6B --texts qa.jsonl --k 50 \\",
            "      --out runs/qwen3",
            "  cat texts.jsonl | ./headscope spectra --model ~/models/gpt2 --texts - \\",
            "      --limit 200"
        })
final class SpectraCommand extends AnalysisCommand<SpectraRequest, Spectra, SpectraSummary> {
    @Mixin
    SpectraOptions options = new SpectraOptions();

    @Override
    SpectraRequest request(RunRequest run) {
        return options.request(run);
    }

    @Override
    Spectra open(SpectraRequest request) {
        return Spectra.open(request, System.in);
    }

    @Override
    SpectraSummary compute(Spectra spectra) {
        resumableStage("observing", "texts", "text", spectra::observe);
        return spectra.write();
    }

    @Override
    void print(SpectraSummary summary, PrintStream out) {
        out.printf("%n%s%s%n%n", summary.classes(),
                summary.skipped() == 0 ? "" : "; %d texts skipped as too short".formatted(summary.skipped()));
        out.printf("%-12s %14s %14s%n", "heads with", "p < 0.05", "q < 0.05");
        summary.shareP().forEach((metric, share) -> out.printf(
                "%-12s %13.1f%% %13.1f%%%n", metric, 100 * share, 100 * summary.shareQ().get(metric)));
        out.printf("About %d of %d heads are expected to have p < 0.05 by chance; q is adjusted for multiple tests"
                + " (Benjamini-Hochberg).%n%n", summary.byChance(), summary.heads());
        out.printf("%-30s %8s %8s%n", "AUROC for " + (summary.answered() ? "wrong answers" : "label 1"), "mean", "std");
        out.printf("%-30s %8.3f %8s%n", "AttentionScore (no probe)", summary.unsupervised(), "");
        summary.probes().forEach((feature, probe) -> {
            switch (probe) {
                case ProbeResult.Measured measured -> out.printf(
                        "%-30s %8.3f %8.3f%n", feature, measured.auroc(), measured.deviation());
                case ProbeResult.Absent absent -> out.printf("%-30s %s%n", feature, absent.reason());
            }
        });
    }

    @Override
    String legend(SpectraSummary summary) {
        return "Two heatmaps with one row per layer and one column per head. A dark cell is a head whose values differ"
                + " between %s (small p).".formatted(
                        summary.answered() ? "right and wrong answers" : "texts with label 0 and label 1");
    }

    @Override
    List<String> files(SpectraSummary summary) {
        return List.of("heads.csv", "samples.csv", "values.safetensors", "manifest.json");
    }
}
