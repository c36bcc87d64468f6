package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.analysis.HeadName;
import headscope.analysis.RunRequest;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.analysis.saliency.SaliencyRequest.Ablation;
import headscope.analysis.saliency.SaliencyRequest.View;
import headscope.result.SaliencyCell;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of {@code saliency}. */
final class SaliencyOptions {
    @Option(names = "--text", paramLabel = "STRING",
            description = "Text whose next token is explained.")
    Optional<String> text;

    @Option(names = "--target", paramLabel = "WORD",
            description = "Word whose prediction is explained, joined to the text as --join says; if it has several"
                    + " tokens, the first one (default: the model's most probable next token).")
    Optional<String> target;

    @Mixin
    JoinOption join = new JoinOption();

    @Option(names = "--groups", paramLabel = "LIST",
            description = "Token groups, such as \"0-6:<ENV>,7-12:<LAN>\": first and last token and name. Tokens are counted"
                    + " from 0, without those that the tokenizer prepends.")
    Optional<String> groups;

    @Option(names = "--objective", paramLabel = "loss|logit|logit-difference:WORD",
            description = "Scalar whose gradient is taken. loss: the target's negative log-likelihood, whose gradient"
                    + " vanishes where the model is certain. logit: the target's logit. logit-difference: the target's"
                    + " logit minus that of WORD (default: ${DEFAULT-VALUE}).")
    String objective = new SaliencyRequest.Objective.Loss().option();

    @Option(names = "--head", paramLabel = "L.H",
            description = "Head to enlarge; layer and head counted from 0, as in heads.csv, while the figure counts from"
                    + " 1 (default: the head with the largest cell).")
    Optional<String> head;

    @Option(names = "--maps", paramLabel = "L.H,...",
            description = "Further heads to enlarge: the map of each is stored, and drawn in a figure saliency-L.H.png of its"
                    + " own.")
    Optional<String> maps;

    @Option(names = "--cell", paramLabel = "max|mean|thumbnail|share",
            description = "What the grid shows of each head: the largest element of its map, the mean element, the map"
                    + " as a thumbnail, or the share of saliency that flows from the target's earlier occurrence to the"
                    + " last token (default: ${DEFAULT-VALUE}).")
    SaliencyCell cell = View.DEFAULT.cell();

    @Option(names = "--skip-first",
            description = "Exclude the first token's column from everything but the enlarged map.")
    boolean skipFirst;

    @Option(names = "--transpose", description = "Source tokens on the y axis, receiving tokens on the x axis.")
    boolean transpose;

    @Option(names = "--share-threshold", paramLabel = "X",
            description = "Minimum share of saliency of an aggregate or gather head; the source does not confirm this"
                    + " value (default: ${DEFAULT-VALUE}).")
    double threshold = SaliencyRequest.THRESHOLD;

    @Option(names = "--texts", paramLabel = "FILE",
            description = "JSON lines, a JSON array or CSV of {\"prompt\", \"answer\"} and optionally \"groups\": [{\"label\", \"start\","
                    + " \"end\"}], end exclusive, for --average and --ablate; - reads standard input.")
    Optional<String> texts;

    @Option(names = "--average", description = "Draw the mean over --texts instead of one --text.")
    boolean average;

    @Option(names = "--ablate", paramLabel = "L.H,...",
            description = "Ablate these heads, counted from 0, and report the change in the answers' nll over --texts.")
    Optional<String> ablate;

    @Option(names = "--random", paramLabel = "N",
            description = "Number of random sets of other heads, of the same size, to compare with, at most "
                    + Ablation.MAX_RANDOM + " (default: " + Ablation.RANDOM + ").")
    Optional<Integer> random;

    @Option(names = "--seed", paramLabel = "N", description = "Seed for the random sets (default: 0).")
    Optional<Long> seed;

    SaliencyRequest request(RunRequest run) {
        require(ablate.isPresent() || random.isEmpty(), "--random has an effect only with --ablate L.H,...: leave it out");
        require(ablate.isPresent() || seed.isEmpty(), "--seed has an effect only with --ablate L.H,...: leave it out");
        return new SaliencyRequest(
                run, text, target, join.join, groups, texts, average, SaliencyRequest.Objective.parse(objective),
                new View(head.map(name -> HeadName.parse("--head", name)), cell, skipFirst, transpose,
                        maps.map(names -> HeadName.parseList("--maps", names)).orElse(List.of())), threshold,
                new Ablation(ablate.map(names -> HeadName.parseList("--ablate", names)).orElse(List.of()),
                        random.orElse(Ablation.NONE.random()), seed.orElse(Ablation.NONE.seed())));
    }
}
