package headscope.cli;

import headscope.analysis.saliency.HeadName;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.result.SaliencyCell;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What `saliency` takes on the command line. */
final class SaliencyOptions {
    @Mixin
    RunOptions run;

    @Option(names = "--text", paramLabel = "STRING",
            description = "The text whose next word is explained.")
    String text;

    @Option(names = "--target", paramLabel = "WORD",
            description = "The word whose prediction is explained, after a blank; of several tokens the first"
                    + " (default: the model's own next token).")
    String target;

    @Option(names = "--groups", paramLabel = "LIST",
            description = "Named groups of tokens, such as \"0-6:<ENV>,7-12:<LAN>\": first and last, counted from 0,"
                    + " without those that the tokenizer puts in front.")
    String groups;

    @Option(names = "--objective", defaultValue = "loss", paramLabel = "loss|logit|logit-difference:WORD",
            description = "What the gradient is of: the loss at predicting the target, which is nearly flat where the"
                    + " model is sure; the target's logit; or its difference to another word's"
                    + " (default: ${DEFAULT-VALUE}).")
    String objective;

    @Option(names = "--head", paramLabel = "L.H",
            description = "The head to enlarge, layer and head counted from 0 as in heads.csv; the picture counts from 1"
                    + " (default: the one whose cell is largest).")
    String head;

    @Option(names = "--cell", defaultValue = "max", paramLabel = "max|mean|thumbnail|share",
            description = "What the grid shows of a head: the largest element of its map, their mean, the whole map made"
                    + " small, or the share that flows from the target's earlier place to the last token"
                    + " (default: ${DEFAULT-VALUE}).")
    SaliencyCell cell;

    @Option(names = "--skip-first",
            description = "Leave the first token's column out of everything but the enlarged map.")
    boolean skipFirst;

    @Option(names = "--transpose", description = "Source tokens downwards, receiving ones to the right.")
    boolean transpose;

    @Option(names = "--share-threshold", defaultValue = "0.30", paramLabel = "X",
            description = "Share from which on a head is called an aggregate or gather head; unverified in the source"
                    + " (default: ${DEFAULT-VALUE}).")
    double threshold;

    @Option(names = "--texts", paramLabel = "FILE",
            description = "JSON lines, each {\"prompt\", \"answer\"} and perhaps \"groups\": [{\"label\", \"start\","
                    + " \"end\"}], end excluded; for --average and --ablate. - reads standard input.")
    String texts;

    @Option(names = "--average", description = "The picture of --texts on average, instead of one --text.")
    boolean average;

    @Option(names = "--ablate", paramLabel = "L.H,...",
            description = "Silence these heads, counted from 0, and tell how the answers' surprisal changes over --texts.")
    String ablate;

    @Option(names = "--random", defaultValue = "10", paramLabel = "N",
            description = "Draws of as many other heads to compare with (default: ${DEFAULT-VALUE}).")
    int random;

    @Option(names = "--seed", defaultValue = "0", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Of those draws (default: ${DEFAULT-VALUE}).")
    long seed;

    /** @param command as it was typed */
    SaliencyRequest request(List<String> command) {
        return new SaliencyRequest(
                run.request("saliency", command), Optional.ofNullable(text), Optional.ofNullable(target),
                Optional.ofNullable(groups), Optional.ofNullable(texts), average,
                SaliencyRequest.Objective.parse(objective),
                new SaliencyRequest.View(
                        Optional.ofNullable(head).map(name -> HeadName.parse("--head", name)), cell, skipFirst,
                        transpose),
                threshold,
                new SaliencyRequest.Ablation(
                        ablate == null ? List.of() : HeadName.parseList("--ablate", ablate), random, seed));
    }
}
