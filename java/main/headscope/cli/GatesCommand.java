package headscope.cli;

import headscope.analysis.HeadName;
import headscope.analysis.HeadRanking;
import headscope.analysis.RunRequest;
import headscope.analysis.gates.Gates;
import headscope.analysis.gates.GatesRequest;
import headscope.analysis.gates.GatesSummary;
import headscope.result.GateScore;
import headscope.result.Manifest;
import headscope.tensor.Printable;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Classifies heads as facilitating, interfering or irrelevant for a task by fitted gates. */
@Command(
        name = "gates",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = {
            "headscope gates --model DIR --task NAME=FILE [OPTIONS]",
            "  or:  headscope gates --model DIR --forget FILE --retain FILE [OPTIONS]"
        },
        description = {
            "Finds the heads that a task needs.",
            "Fits a gate to every head's output, regularised towards open and towards shut. Draws the heads that"
                    + " facilitate the task in every seed (Always) and in at least one (Any) as layers x heads heatmaps."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope gates --model models/demo --task Math=data/math.jsonl \\",
            "      --task Syntax=data/syntax.jsonl --quick",
            "  ./headscope gates --model ~/models/Llama-3.2-1B --task Math=math.jsonl \\",
            "      --seeds 3 --out runs/llama",
            "  ./headscope gates --model ~/models/Llama-3.2-1B \\",
            "      --forget instructed.jsonl --retain shown.jsonl"
        })
final class GatesCommand extends AnalysisCommand<GatesRequest, Gates, GatesSummary> {
    @Mixin
    GatesOptions options = new GatesOptions();

    @Override
    GatesRequest request(RunRequest run) {
        return options.request(run);
    }

    @Override
    Gates open(GatesRequest request) {
        return Gates.open(request, System.in);
    }

    @Override
    GatesSummary compute(Gates gates) {
        resumableStage(gates.run().request.out(), "fitting", "updates", "fit", gates::fit);
        return gates.write();
    }

    @Override
    void print(GatesSummary summary, PrintStream out) {
        if (summary.quick()) {
            out.printf("%nApproximate (--quick): fewer seeds, updates and texts than published; single heads may differ."
                    + "%n");
        }
        out.printf("%nHeads with a score of at least 0.5, of %d, in all of %d seeds (Always) and in at least one (Any):"
                + "%n%n", summary.heads(), summary.seeds());
        for (GatesSummary.Task task : summary.tasks()) {
            String name = Printable.line(task.name());
            boolean fits = name.length() <= 16;
            out.print(fits ? "" : name + System.lineSeparator());
            out.printf("%-16s %-8s %s%n", fits ? name : "", "Always", shares(task.always()));
            out.printf("%-16s %-8s %s%n", "", "Any", shares(task.any()));
        }
        for (GatesSummary.Task task : summary.tasks()) {
            task.answer().ifPresent(answer -> out.printf(
                    "%n%s: mean log probability of an answer token %.3f with all heads open, %.3f under G+; %.0f%% of"
                            + " heads facilitate or interfere in at least one seed.%n",
                    Printable.line(task.name()), answer.ungated(), answer.underGates(), 100 * task.either()));
        }
        if (options.top > 0) {
            printTop(summary, out);
        }
    }

    private void printTop(GatesSummary summary, PrintStream out) {
        for (GatesSummary.Task task : summary.tasks()) {
            out.printf("%n%s, heads with the largest %s in every seed (Always):%n", Printable.line(task.name()),
                    Manifest.keyword(task.shown()));
            out.printf("%-8s %8s %8s %8s%n", "head", "Always", "Any", "mean");
            double[] always = Arrays.stream(task.scores().always()).map(score -> -score).toArray();
            double[] mean = Arrays.stream(task.scores().mean()).map(score -> -score).toArray();
            HeadRanking.smallest(options.top, always, mean).forEach(head -> out.printf("%-8s %8.3f %8.3f %8.3f%n",
                    HeadName.of(head, summary.perLayer()), task.scores().always()[head], task.scores().any()[head],
                    task.scores().mean()[head]));
        }
    }

    private static String shares(SequencedMap<GateScore, Double> shares) {
        return shares.entrySet().stream()
                .map(share -> "%s %5.1f%%".formatted(share.getKey().adjective, 100 * share.getValue()))
                .collect(Collectors.joining("   "));
    }

    @Override
    List<String> files(GatesSummary summary) {
        return summary.tasks().stream().anyMatch(task -> task.answer().isPresent())
                ? List.of("heads.csv", "check.csv", "values.safetensors", "manifest.json")
                : List.of("heads.csv", "values.safetensors", "manifest.json");
    }
}
