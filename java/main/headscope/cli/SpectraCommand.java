package headscope.cli;

import headscope.analysis.HeadName;
import headscope.analysis.HeadRanking;
import headscope.analysis.RunRequest;
import headscope.analysis.spectra.Captured;
import headscope.analysis.spectra.CapturedRequest;
import headscope.analysis.spectra.Retest;
import headscope.analysis.spectra.RetestRequest;
import headscope.analysis.spectra.Spectra;
import headscope.analysis.spectra.SpectraRequest;
import headscope.analysis.spectra.SpectraSummary;
import headscope.analysis.statistics.ProbeResult;
import headscope.cli.terminal.InterruptHint;
import headscope.cli.terminal.ProgressLine;
import headscope.result.LayerAuroc;
import headscope.result.TokenValueFiles;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Tests attention score and Laplacian eigenvalues of every head between two groups of texts. */
@Command(
        name = "spectra",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = {
            "headscope spectra --model DIR --texts FILE [OPTIONS]",
            "       headscope spectra --from RUN [OPTIONS]",
            "       headscope spectra --captured FILE... [OPTIONS]"
        },
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
            "      --batch-tokens 8192 --out runs/qwen3",
            "  ./headscope spectra --model ~/models/Qwen3-0.6B --texts chats.jsonl \\",
            "      --system \"Answer in one word.\" --no-special-tokens",
            "  cat texts.jsonl | ./headscope spectra --model ~/models/gpt2 --texts - \\",
            "      --limit 200",
            "  ./headscope spectra --model models/demo --texts data/qa.jsonl \\",
            "      --test entropy,sink_share --show auroc --threshold 0.01",
            "  ./headscope spectra --model models/demo --texts data/qa.jsonl \\",
            "      --per-token laplacian,entropy --heads 11.10,2.0 --no-probes",
            "  ./headscope spectra --model ~/models/gpt2 --texts judged.csv \\",
            "      --fields question=prompt,verdict=label --label-names correct,hallucinated",
            "  ./headscope spectra --from runs/qwen3 --labels graded.csv --k 10 \\",
            "      --out runs/qwen3-graded",
            "  ./headscope spectra --captured captured/*.safetensors --k 50"
        })
final class SpectraCommand extends AnalysisCommand<SpectraRequest, Spectra, SpectraSummary> {
    private static final String PROBES = "fitting probes";

    @Mixin
    SpectraOptions options = new SpectraOptions();

    @Override
    @SuppressWarnings("try") // the hint is there to be closed
    public Integer call() {
        if (!options.captured.isEmpty()) {
            return captured();
        }
        if (options.from.isEmpty()) {
            return super.call();
        }
        Path out = run.out(arguments());
        RetestRequest request = options.retest(
                spec.commandLine().getParseResult(), out, run.overwrite, ShellCommand.of(arguments()));
        try (PictureFiles pictures = new PictureFiles();
                Retest retest = Retest.open(request);
                InterruptHint hint = new InterruptHint(
                        "headscope: interrupted; nothing is kept: repeat the command", retest::abandon)) {
            warnOfUnlabelled(retest.unlabelled(), "stored", request.labels());
            SpectraSummary summary;
            try (ProgressLine progress = new ProgressLine(PROBES, "folds")) {
                summary = retest.write(progress);
            }
            publish(summary, out, () -> retest.onDisk(() -> pictures.drawIfPossible(retest.folder(), out)),
                    retest::commit, System.out);
        }
        return 0;
    }

    @SuppressWarnings("try") // the hint is there to be closed
    private int captured() {
        Path out = run.out(arguments());
        CapturedRequest request = options.captured(
                spec.commandLine().getParseResult(), run.device.choice(), out, run.overwrite, ShellCommand.of(arguments()));
        try (PictureFiles pictures = new PictureFiles();
                Captured captured = Captured.open(request, HeadscopeCommand::warn);
                InterruptHint hint = new InterruptHint(
                        "headscope: interrupted; nothing is kept: repeat the command", captured::abandon)) {
            warnOfUnlabelled(captured.unlabelled(), "captured", request.labels());
            stage("observing", "texts", captured::observe);
            SpectraSummary summary;
            try (ProgressLine progress = new ProgressLine(PROBES, "folds")) {
                summary = captured.write(progress);
            }
            publish(summary, out, () -> captured.onDisk(() -> pictures.drawIfPossible(captured.folder(), out)),
                    captured::commit, System.out);
        }
        return 0;
    }

    private static void warnOfUnlabelled(int texts, String kind, Optional<String> labels) {
        if (texts > 0) {
            HeadscopeCommand.warn("%d %s texts have no label in %s and are not tested".formatted(texts, kind, labels.orElseThrow()));
        }
    }

    @Override
    SpectraRequest request(RunRequest run) {
        return options.request(run);
    }

    @Override
    Spectra open(SpectraRequest request) {
        return Spectra.open(request, System.in);
    }

    @Override
    @SuppressWarnings("try") // the hint is there to be closed
    SpectraSummary compute(Spectra spectra) {
        resumableStage(spectra.run().request.out(), "observing", "texts", "text", spectra::observe);
        try (InterruptHint hint = interruptHint(
                        spectra.run().request.out(), "with the probes, all texts are observed");
                ProgressLine progress = new ProgressLine(PROBES, "folds")) {
            return spectra.write(progress);
        }
    }

    @Override
    void print(SpectraSummary summary, PrintStream out) {
        out.printf("%n%s%s%n%n", summary.classes(),
                summary.skipped() == 0 ? "" : "; %d texts skipped as too short".formatted(summary.skipped()));
        if (summary.untested().isPresent()) {
            return;
        }
        String row = "%%-%ds".formatted(summary.shareP().keySet().stream().mapToInt(String::length).reduce(12, Math::max));
        out.printf(row + " %14s %14s%n", "heads with", "p < 0.05", "q < 0.05");
        summary.shareP().forEach((metric, share) -> out.printf(
                row + " %13.1f%% %13.1f%%%n", metric, 100 * share, 100 * summary.shareQ().get(metric)));
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
        summary.layers().ifPresent(layers -> print(layers, out));
        if (options.top > 0) {
            printTop(summary, out);
        }
    }

    private static void print(LayerAuroc layers, PrintStream out) {
        out.printf("%n%-30s%s%n", "AUROC of the heads of a layer",
                layers.features().stream().map(" %12s"::formatted).collect(Collectors.joining()));
        for (int i = 0; i < layers.layers(); i++) {
            int layer = i;
            out.printf("%-30d%s%n", layer, layers.features().stream()
                    .map(feature -> " %12.3f".formatted(layers.mean(feature)[layer])).collect(Collectors.joining()));
        }
    }

    private void printTop(SpectraSummary summary, PrintStream out) {
        summary.tested().forEach((metric, heads) -> {
            out.printf("%n%s, heads with the smallest p:%n%-8s %10s %10s %8s %8s %12s %12s%n", SpectraSummary.name(metric),
                    "head", "p", "q", "effect", "AUROC", summary.answered() ? "mean, right" : "mean, 0",
                    summary.answered() ? "mean, wrong" : "mean, 1");
            double[] strongest = Arrays.stream(heads.effect()).map(effect -> -Math.abs(effect)).toArray();
            HeadRanking.smallest(options.top, heads.p(), strongest).forEach(head -> out.printf(
                    "%-8s %10.3g %10.3g %8.3f %8.3f %12.4g %12.4g%n", HeadName.of(head, summary.perLayer()),
                    heads.p()[head], heads.q()[head], heads.effect()[head], heads.auroc()[head], heads.mean0()[head],
                    heads.mean1()[head]));
        });
    }

    @Override
    Optional<String> undrawn(SpectraSummary summary, Path folder) {
        return summary.untested().map(reason -> "%s; the values are kept, to test them with other labels: ./headscope"
                .formatted(reason) + " spectra --from %s --labels FILE".formatted(ShellCommand.quoted(folder.toString())));
    }

    @Override
    List<String> files(SpectraSummary summary) {
        Stream<String> tests = summary.untested().isPresent() ? Stream.of() : Stream.of("heads.csv");
        Stream<String> layers = summary.layers().isPresent() ? Stream.of(LayerAuroc.FILE) : Stream.of();
        Stream<String> tokens = options.perToken.isPresent()
                ? Stream.of(TokenValueFiles.TABLE, TokenValueFiles.TENSORS) : Stream.of();
        Stream<String> values = summary.hasValues() ? Stream.of("values.safetensors") : Stream.of();
        return Stream.of(tests, layers, Stream.of("samples.csv"), tokens, values, Stream.of("manifest.json"))
                .flatMap(names -> names)
                .toList();
    }
}
