package headscope.cli;

import headscope.analysis.HeadName;
import headscope.analysis.HeadRanking;
import headscope.analysis.RunRequest;
import headscope.analysis.functions.Functions;
import headscope.analysis.functions.FunctionsRequest;
import headscope.analysis.functions.FunctionsSummary;
import headscope.result.MaskingTable;
import headscope.tensor.Printable;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Attributes cognitive functions to heads by a probe over the outputs of all heads. */
@Command(
        name = "functions",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = "headscope functions --model DIR --texts FILE [OPTIONS]",
        description = {
            "Attributes cognitive functions to heads.",
            "Trains a probe that predicts from the outputs of all heads which cognitive function a text requires."
                    + " Draws each head's importance as one layers x heads heatmap per function."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope functions --model models/demo --texts data/functions.jsonl \\",
            "      --mask elbow",
            "  ./headscope functions --model ~/models/Llama-3.2-3B --texts tasks.jsonl \\",
            "      --top 0.005 --out runs/llama",
            "  ./headscope functions --model models/demo --texts data/functions.jsonl \\",
            "      --epochs 100 --batch 1 --order file"
        })
final class FunctionsCommand extends AnalysisCommand<FunctionsRequest, Functions, FunctionsSummary> {
    @Mixin
    FunctionsOptions options = new FunctionsOptions();

    @Override
    FunctionsRequest request(RunRequest run) {
        return options.request(run);
    }

    @Override
    Functions open(FunctionsRequest request) {
        return Functions.open(request, System.in);
    }

    @Override
    FunctionsSummary compute(Functions functions) {
        resumableStage(functions.run().request.out(), "observing", "texts", "text", functions::observe);
        stage("training", "epochs", functions::train);
        stage("ablating", "functions", functions::ablate);
        return functions.write();
    }

    @Override
    void print(FunctionsSummary summary, PrintStream out) {
        out.printf("%nThe probe, trained on %d texts, predicts the function of %.1f%% of %d test texts (chance %.1f%%,"
                + " most frequent function %.1f%%).%n%n", summary.train(), 100 * summary.accuracy(), summary.test(),
                100 * summary.chance(), 100 * summary.majority());
        out.printf("%-26s %8s %9s %14s %16s%n", "", "probe", "model", "heads before", "heads above");
        out.printf("%-26s %8s %9s %14s %16s%n", "function", "accuracy", "accuracy", "the elbow", summary.threshold());
        for (FunctionsSummary.Function function : summary.functions()) {
            out.printf("%-26s %7.1f%% %8.1f%% %14d %8d (%4.1f%%)%n", Printable.line(function.name()), 100 * function.accuracy(),
                    100 * function.answered(), function.beforeElbow(), function.above(),
                    100.0 * function.above() / summary.heads());
        }
        if (options.topHeads > 0) {
            printTop(summary, out);
        }
        summary.ablation().ifPresent(masking -> print(masking, out));
    }

    private void printTop(FunctionsSummary summary, PrintStream out) {
        out.printf("%nHeads with the largest absolute importance (signed here), the most important first:%n%n");
        for (FunctionsSummary.Function function : summary.functions()) {
            double[] ascending = Arrays.stream(function.importance()).map(value -> -Math.abs(value)).toArray();
            String heads = HeadRanking.smallest(options.topHeads, ascending).stream()
                    .map(head -> "%-6s %+-9.2g".formatted(HeadName.of(head, summary.perLayer()), function.importance()[head]))
                    .collect(Collectors.joining(" "));
            out.printf("%-26s %s%n", function.name(), heads.strip());
        }
    }

    private static void print(MaskingTable masking, PrintStream out) {
        out.printf("%nModel accuracy after ablating a function's most important (top), random or least important (lowest)"
                + " heads:%n%n");
        out.printf("%-26s %6s %8s %8s %8s %8s %18s%n", "", "", "", "", "", "", "other functions:");
        out.printf("%-26s %6s %8s %8s %8s %8s %10s %7s%n", "function", "heads", "none", "top", "random", "lowest",
                "none", "top");
        for (MaskingTable.Row row : masking.rows()) {
            out.printf("%-26s %6d %7.1f%% %7.1f%% %7.1f%% %7.1f%% %9.1f%% %6.1f%%%n", Printable.line(row.function()), row.heads(),
                    100 * row.before(), 100 * row.top(), 100 * row.random(), 100 * row.lowest(),
                    100 * row.othersBefore(), 100 * row.othersTop());
        }
    }

    @Override
    List<String> files(FunctionsSummary summary) {
        return summary.ablation().isPresent()
                ? List.of("heads.csv", "samples.csv", "confusion.csv", "masking.csv", "values.safetensors", "manifest.json")
                : List.of("heads.csv", "samples.csv", "confusion.csv", "values.safetensors", "manifest.json");
    }
}
