package headscope.cli;

import headscope.analysis.saliency.HeadName;
import headscope.analysis.saliency.Saliency;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.analysis.saliency.SaliencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Which heads carry what a model predicts, and between which tokens. */
@Command(
        name = "saliency",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Sends the gradient of a prediction back to every head's attention: attention times gradient as a"
                + " grid of layers x heads, and one head's map from token to token, enlarged.",
        footer = {
            "",
            "Examples:",
            "  ./headscope saliency --model models/demo --objective logit \\",
            "      --text \"<CHI> painted a picture of a horse <CHI> my favorite animal is the\" \\",
            "      --groups \"0-6:<ENV>,7-12:<LAN>\"",
            "  ./headscope saliency --model models/demo --texts data/grounding.jsonl --average --objective logit",
            "  ./headscope saliency --model models/demo --texts data/grounding.jsonl --average --ablate 0.3,10.5"
        })
final class SaliencyCommand extends AnalysisCommand {
    @Mixin
    SaliencyOptions options;

    @Override
    void run(List<String> typed) {
        run(options.request(typed));
    }

    /** The whole analysis, told on the terminal. */
    static void run(SaliencyRequest request) {
        PrintStream out = System.out;
        try (Saliency saliency = Saliency.open(request, System.in)) {
            resumable("observing", "texts", "text", saliency::observe);
            SaliencySummary found = saliency.write();
            print(found, out);
            boolean drawn = !PictureFiles.drawIfPossible(saliency.folder(), request.run().out()).isEmpty();
            saliency.commit();
            if (drawn) {
                out.printf("%nThe picture: %s%nA grid of layers x heads, bright where a head carries much, and the map of"
                        + " one of them.%n", request.run().out().resolve("saliency.png"));
            }
            out.printf("All numbers: %s (heads.csv, tokens.csv, values.safetensors, manifest.json)%n", request.run().out());
        }
    }

    private static void print(SaliencySummary found, PrintStream out) {
        out.printf("%nSaliency of the %s%s. Layers and heads are counted from 0.%n%n", found.objective(),
                found.texts() == 1 ? "" : ", mean of %d texts".formatted(found.texts()));
        out.printf("%-8s %s%n", "head", found.unit());
        found.ranked().forEach(one -> out.printf("%-8s %.3g%n", one.head(), one.value()));
        out.printf("%nThe largest elements of head %s, from source to receiving token:%n", found.enlarged());
        found.links().forEach(link -> out.printf("%-8.3g %s -> %s%n", link.value(), link.source(), link.receiving()));
        out.println();
        found.aggregate().ifPresent(heads -> out.printf(
                "Heads with at least %.0f %% of their saliency from the target's earlier place to the last token"
                        + " (aggregate; this threshold is unverified in the source): %s%n",
                100 * found.threshold(), names(heads)));
        found.aggregate().ifPresent(heads -> out.printf(
                "Heads with at least %.0f %% of it from earlier tokens into that place (gather): %s%n",
                100 * found.threshold(), names(found.gather())));
        found.ablated().ifPresent(ablated -> print(ablated, out));
        found.nearlyFlat().ifPresent(probability -> System.err.printf(
                "headscope: the largest saliency is below 0.001: the model gives the target the probability %.3f, and the"
                        + " loss of a sure model has hardly a gradient; try --objective logit, or"
                        + " logit-difference:WORD%n",
                probability));
    }

    private static void print(SaliencySummary.Ablated ablated, PrintStream out) {
        out.printf("%nSurprisal of the answer, mean of %d texts: %.4f nats. Without %s: %+.4f.%n",
                ablated.texts(), ablated.before(), names(ablated.heads()), ablated.change());
        if (!ablated.random().isEmpty()) {
            out.printf("Without as many other heads, %d draws: mean %+.4f, from %+.4f to %+.4f.%n",
                    ablated.random().size(),
                    ablated.random().stream().mapToDouble(change -> change).average().orElseThrow(),
                    ablated.random().stream().mapToDouble(change -> change).min().orElseThrow(),
                    ablated.random().stream().mapToDouble(change -> change).max().orElseThrow());
        }
    }

    private static String names(List<HeadName> heads) {
        return heads.isEmpty() ? "none" : heads.stream().map(HeadName::toString).collect(Collectors.joining(", "));
    }
}
