package headscope.cli;

import headscope.analysis.HeadName;
import headscope.analysis.RunRequest;
import headscope.analysis.saliency.Saliency;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.analysis.saliency.SaliencySummary;
import headscope.tensor.Printable;
import java.io.PrintStream;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Attributes a prediction to heads and to pairs of tokens: attention times gradient. */
@Command(
        name = "saliency",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = {
            "headscope saliency --model DIR --text STRING [OPTIONS]",
            "  or:  headscope saliency --model DIR --texts FILE --average [OPTIONS]"
        },
        description = {
            "Attributes a prediction to heads and to pairs of tokens.",
            "Multiplies each head's attention by its gradient. Draws a layers x heads grid and the map of one head,"
                    + " from source to receiving tokens."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope saliency --model models/demo --objective logit \\",
            "      --groups \"0-6:<ENV>,7-12:<LAN>\" --text \\",
            "      \"<CHI> painted a picture of a horse <CHI> my favorite animal is the\"",
            "  ./headscope saliency --model models/demo --texts data/grounding.jsonl \\",
            "      --average --objective logit --maps 0.3,10.5",
            "  ./headscope saliency --model models/demo --texts data/grounding.jsonl \\",
            "      --average --ablate 0.3,10.5"
        })
final class SaliencyCommand extends AnalysisCommand<SaliencyRequest, Saliency, SaliencySummary> {
    @Mixin
    SaliencyOptions options = new SaliencyOptions();

    @Override
    SaliencyRequest request(RunRequest run) {
        return options.request(run);
    }

    @Override
    Saliency open(SaliencyRequest request) {
        return Saliency.open(request, System.in);
    }

    @Override
    SaliencySummary compute(Saliency saliency) {
        resumableStage(saliency.run().request.out(), "observing", "texts", "text", saliency::observe);
        stage("enlarging", "texts", saliency::enlarge);
        return saliency.write();
    }

    @Override
    void print(SaliencySummary summary, PrintStream out) {
        out.printf("%nSaliency of the %s%s. Layers and heads are counted from 0.%n%n", summary.objective(),
                summary.texts() == 1 ? "" : ", mean of %d texts".formatted(summary.texts()));
        out.printf("%-8s %s%n", "head", summary.unit());
        summary.ranked().forEach(one -> out.printf("%-8s %.3g%n", one.head(), one.value()));
        out.printf("%nLargest elements of head %s, source -> receiving token:%n", summary.enlarged());
        summary.links().forEach(link -> out.printf("%-8.3g %s -> %s%n", link.value(), Printable.line(link.source()),
                Printable.line(link.receiving())));
        summary.aggregate().ifPresent(heads -> out.printf(
                "%nAggregate heads, with at least %.0f %% of their saliency from the target's earlier occurrence to the"
                        + " last token (the source does not confirm this threshold): %s%n",
                100 * summary.threshold(), names(heads)));
        summary.aggregate().ifPresent(heads -> out.printf(
                "Gather heads, with at least %.0f %% of their saliency from earlier tokens to that occurrence: %s%n",
                100 * summary.threshold(), names(summary.gather())));
        summary.ablated().ifPresent(ablated -> print(ablated, out));
        summary.nearlyFlat().ifPresent(probability -> HeadscopeCommand.warn(
                ("the largest saliency is below 0.001: the target's probability is %.3f, where the gradient of the loss"
                        + " nearly vanishes; try --objective logit or logit-difference:WORD").formatted(probability)));
    }

    private static void print(SaliencySummary.Ablated ablated, PrintStream out) {
        out.printf("%nMean nll of the answers of %d texts: %.4f nats; with %s ablated: %+.4f.%n",
                ablated.texts(), ablated.before(), names(ablated.heads()), ablated.change());
        if (!ablated.random().isEmpty()) {
            DoubleSummaryStatistics changes =
                    ablated.random().stream().mapToDouble(Double::doubleValue).summaryStatistics();
            out.printf("With the same number of random heads ablated, %d sets: mean %+.4f, range %+.4f to %+.4f.%n",
                    changes.getCount(), changes.getAverage(), changes.getMin(), changes.getMax());
        }
    }

    private static String names(List<HeadName> heads) {
        return heads.isEmpty() ? "none" : heads.stream().map(HeadName::toString).collect(Collectors.joining(", "));
    }

    @Override
    List<String> files(SaliencySummary summary) {
        return List.of("heads.csv", "tokens.csv", "values.safetensors", "manifest.json");
    }
}
