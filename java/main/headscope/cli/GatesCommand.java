package headscope.cli;

import headscope.analysis.gates.Gates;
import headscope.analysis.gates.GatesRequest;
import headscope.analysis.gates.GatesSummary;
import headscope.result.GateScore;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Which heads a task needs, suffers from, or can do without. */
@Command(
        name = "gates",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Fits a gate to every head's output, pushed open and pushed shut, and draws which heads a task needs:"
                + " in every seed (Always) and in at least one (Any), as layer x head heatmaps.",
        footer = {
            "",
            "Examples:",
            "  ./headscope gates --model models/demo --task Math=data/math.jsonl --task Syntax=data/syntax.jsonl --quick",
            "  ./headscope gates --model ~/models/Llama-3.2-1B --task Math=math.jsonl --seeds 3 --out runs/llama",
            "  ./headscope gates --model ~/models/Llama-3.2-1B --forget instructed.jsonl --retain shown.jsonl"
        })
final class GatesCommand extends AnalysisCommand {
    @Mixin
    GatesOptions options;

    @Override
    void run(List<String> typed) {
        run(options.request(typed));
    }

    /** The whole analysis, told on the terminal. */
    static void run(GatesRequest request) {
        PrintStream out = System.out;
        if (request.quick()) {
            out.println("A sketch: fewer seeds, updates and texts than published; single heads may come out otherwise.");
        }
        try (Gates gates = Gates.open(request, System.in)) {
            resumable("fitting", "updates", "fit", gates::fit);
            GatesSummary found = gates.write();
            print(found, out);
            List<Path> pictures = PictureFiles.drawIfPossible(gates.folder(), request.run().out());
            gates.commit();
            if (!pictures.isEmpty()) {
                out.printf("%nThe picture: %s%nA row per layer, a column per head: red where the score is high in every"
                        + " seed (Always) or in one (Any).%n", request.run().out().resolve("gates.png"));
            }
            pictures.stream().skip(1).forEach(
                    check -> out.printf("The check: %s%n", request.run().out().resolve(check.getFileName())));
            out.printf("All numbers: %s (heads.csv, %svalues.safetensors, manifest.json)%n", request.run().out(),
                    found.tasks().stream().anyMatch(task -> task.answer().isPresent()) ? "check.csv, " : "");
        }
    }

    private static void print(GatesSummary found, PrintStream out) {
        out.printf("%nHeads with a score of at least 0.5, of %d, in every one of %d seeds (Always) or in at least one"
                + " (Any):%n%n", found.heads(), found.seeds());
        for (GatesSummary.Task task : found.tasks()) {
            out.printf("%-16s %-8s %s%n", task.name(), "Always", shares(task.always()));
            out.printf("%-16s %-8s %s%n", "", "Any", shares(task.any()));
        }
        for (GatesSummary.Task task : found.tasks()) {
            task.answer().ifPresent(answer -> out.printf(
                    "%n%s: log probability of an answer's token %.3f with all heads open, %.3f under G+; %.0f%% of heads"
                            + " facilitate or interfere in at least one seed.%n",
                    task.name(), answer.ungated(), answer.underGates(), 100 * task.either()));
        }
    }

    private static String shares(SequencedMap<GateScore, Double> shares) {
        StringBuilder line = new StringBuilder();
        shares.forEach((score, share) -> line.append("%s %5.1f%%   ".formatted(score.adjective, 100 * share)));
        return line.toString().stripTrailing();
    }
}
