package headscope.analysis.saliency;

import static headscope.analysis.InputException.require;
import static headscope.analysis.InputException.requireCount;

import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.RunRequest;
import headscope.result.SaliencyCell;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a saliency run.
 *
 * @param text      the text to explain; empty if texts are averaged
 * @param target    the word whose prediction is explained; empty = the model's own next token
 * @param join      what stands between the text and the target
 * @param groups    groups of the text's tokens, as given on the command line
 * @param texts     path of a file of texts, or "-" for standard input; empty = none
 * @param average   whether the figure shows the mean over the texts of the file
 * @param threshold minimum share of a head's saliency that makes it an aggregate or gather head
 */
public record SaliencyRequest(
        RunRequest run, Optional<String> text, Optional<String> target, Join join, Optional<String> groups,
        Optional<String> texts, boolean average, Objective objective, View view, double threshold, Ablation ablation) {
    public static final double THRESHOLD = 0.3;

    /** The map of one text; every setting at its default. */
    public static SaliencyRequest of(RunRequest run, String text) {
        return new SaliencyRequest(run, Optional.of(text), Optional.empty(), Join.AUTO, Optional.empty(), Optional.empty(),
                false, new Objective.Loss(), View.DEFAULT, THRESHOLD, Ablation.NONE);
    }

    public SaliencyRequest withGroups(String named) {
        return new SaliencyRequest(
                run, text, target, join, Optional.of(named), texts, average, objective, view, threshold, ablation);
    }

    public SaliencyRequest withObjective(Objective other) {
        return new SaliencyRequest(run, text, target, join, groups, texts, average, other, view, threshold, ablation);
    }

    public SaliencyRequest withView(View other) {
        return new SaliencyRequest(run, text, target, join, groups, texts, average, objective, other, threshold, ablation);
    }

    /** The scalar whose gradient is taken, at the text's last token. */
    public sealed interface Objective {
        /** The target's negative log-likelihood. */
        record Loss() implements Objective {}

        record Logit() implements Objective {}

        /** The target's logit minus that of another word. */
        record LogitDifference(String word) implements Objective {}

        /** Parses an objective as given on the command line. */
        public static Objective parse(String text) {
            if (text.startsWith("logit-difference:") && !text.endsWith(":")) {
                return new LogitDifference(text.substring(text.indexOf(':') + 1));
            }
            return switch (text) {
                case "loss" -> new Loss();
                case "logit" -> new Logit();
                default -> throw new InputException(
                        "--objective must be loss, logit or logit-difference:WORD, not \"%s\"".formatted(text));
            };
        }

        default String option() {
            return switch (this) {
                case Loss o -> "loss";
                case Logit o -> "logit";
                case LogitDifference o -> "logit-difference:" + o.word();
            };
        }
    }

    /**
     * What the figure shows.
     *
     * @param head      the head to enlarge; empty = the one whose cell is largest
     * @param maps      further heads to enlarge, each in a figure of its own
     * @param skipFirst exclude the first source token from everything but the enlarged map
     * @param transpose source tokens on the y axis
     */
    public record View(
            Optional<HeadName> head, SaliencyCell cell, boolean skipFirst, boolean transpose, List<HeadName> maps) {
        public static final View DEFAULT = new View(Optional.empty(), SaliencyCell.MAX, false, false);

        public View withoutFirst() {
            return new View(head, cell, true, transpose, maps);
        }

        /** One enlarged head. */
        public View(Optional<HeadName> head, SaliencyCell cell, boolean skipFirst, boolean transpose) {
            this(head, cell, skipFirst, transpose, List.of());
        }
    }

    /**
     * Heads to ablate, to measure the effect on the answers of the texts in the file.
     *
     * @param heads  empty = no ablation
     * @param random number of random sets of other heads, of the same size, for comparison
     */
    public record Ablation(List<HeadName> heads, int random, long seed) {
        public static final int MAX_RANDOM = 10_000;
        public static final int RANDOM = 10;
        public static final Ablation NONE = new Ablation(List.of(), RANDOM, 0);
    }

    public SaliencyRequest {
        require(text.isPresent() != average,
                average ? "--average uses --texts; remove --text" : "give a --text, or --texts with --average");
        require(texts.isPresent() || !average, "--average needs --texts");
        require(texts.isPresent() || run.fields().isEmpty(), "--fields has an effect only with --texts; remove it");
        require(texts.isPresent() || ablation.heads().isEmpty(), "--ablate needs --texts, over which it is measured");
        require(texts.isEmpty() || average || !ablation.heads().isEmpty(), "--texts needs --average or --ablate");
        require(!average || target.isEmpty(), "--target is for --text only; with --average the target is each line's \"answer\"");
        require(!average || groups.isEmpty(), "--groups is for --text only; with --average the groups are each line's \"groups\"");
        require(threshold > 0 && threshold <= 1, "--share-threshold must be above 0 and at most 1, not " + threshold);
        requireCount("--random", ablation.random(), 0, Ablation.MAX_RANDOM);
    }
}
