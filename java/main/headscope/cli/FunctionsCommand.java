package headscope.cli;

import headscope.analysis.functions.Functions;
import headscope.analysis.functions.FunctionsRequest;
import headscope.analysis.functions.FunctionsSummary;
import headscope.result.MaskingTable;
import java.io.PrintStream;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Which heads carry which cognitive function, as a probe over the outputs of all heads has it. */
@Command(
        name = "functions",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Teaches a probe to tell from the outputs of all heads which cognitive function a text asks for,"
                + " and draws how important each head is for each function, as one layer x head heatmap a function.",
        footer = {
            "",
            "Examples:",
            "  ./headscope functions --model models/demo --texts data/functions.jsonl --mask elbow",
            "  ./headscope functions --model ~/models/Llama-3.2-3B --texts tasks.jsonl --top 0.005 --out runs/llama",
            "  ./headscope functions --model models/demo --texts data/functions.jsonl --epochs 100 --batch 1 \\",
            "      --order file"
        })
final class FunctionsCommand extends AnalysisCommand {
    @Mixin
    FunctionsOptions options;

    @Override
    void run(List<String> typed) {
        run(options.request(typed));
    }

    /** The whole analysis, told on the terminal. */
    static void run(FunctionsRequest request) {
        PrintStream out = System.out;
        try (Functions functions = Functions.open(request, System.in)) {
            resumable("observing", "texts", "text", functions::observe);
            try (ProgressLine progress = new ProgressLine("training", "epochs")) {
                functions.train(progress);
            }
            try (ProgressLine progress = new ProgressLine("masking", "functions")) {
                functions.ablate(progress);
            }
            FunctionsSummary found = functions.write();
            print(found, out);
            boolean drawn = !PictureFiles.drawIfPossible(functions.folder(), request.run().out()).isEmpty();
            functions.commit();
            if (drawn) {
                out.printf("%nThe picture: %s%nOne heatmap a function, a row per layer and a column per head: the"
                        + " lighter, the more of the probe's verdict comes from the head.%n",
                        request.run().out().resolve("functions.png"));
            }
            out.printf("All numbers: %s (heads.csv, samples.csv, confusion.csv, %svalues.safetensors, manifest.json)%n",
                    request.run().out(), found.ablation().isPresent() ? "masking.csv, " : "");
        }
    }

    private static void print(FunctionsSummary found, PrintStream out) {
        out.printf("%nThe probe learned from %d texts and names the function of %.1f%% of %d others; chance %.1f%%,"
                + " always the commonest %.1f%%.%n%n", found.train(), 100 * found.accuracy(), found.test(),
                100 * found.chance(), 100 * found.majority());
        out.printf("%-26s %8s %9s %14s %16s%n", "", "probe", "answers", "heads before", "heads above");
        out.printf("%-26s %8s %9s %14s %16s%n", "function", "right", "right", "the elbow", found.threshold());
        for (FunctionsSummary.Function function : found.functions()) {
            out.printf("%-26s %7.1f%% %8.1f%% %14d %8d (%4.1f%%)%n", function.name(), 100 * function.accuracy(),
                    100 * function.answered(), function.beforeElbow(), function.above(),
                    100.0 * function.above() / found.heads());
        }
        found.ablation().ifPresent(masking -> print(masking, out));
    }

    private static void print(MaskingTable masking, PrintStream out) {
        out.printf("%nAnswers right, where so many heads are held back:%n%n");
        out.printf("%-26s %6s %8s %8s %8s %8s %18s%n", "function", "heads", "none", "top", "random", "lowest",
                "others: none, top");
        for (MaskingTable.Row row : masking.rows()) {
            out.printf("%-26s %6d %7.1f%% %7.1f%% %7.1f%% %7.1f%% %9.1f%% %6.1f%%%n", row.function(), row.heads(),
                    100 * row.before(), 100 * row.top(), 100 * row.random(), 100 * row.lowest(),
                    100 * row.othersBefore(), 100 * row.othersTop());
        }
    }
}
