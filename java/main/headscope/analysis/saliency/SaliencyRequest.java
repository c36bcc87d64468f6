package headscope.analysis.saliency;

import headscope.analysis.InputException;
import headscope.analysis.RunRequest;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a saliency run is asked for.
 *
 * @param text      whose map is drawn; empty where texts are averaged
 * @param target    the word whose prediction is explained; empty = the model's own next token
 * @param groups    of the text's tokens, as the command line writes them
 * @param texts     path of a file of JSON lines, or "-" for standard input; empty = none
 * @param average   whether the picture is of the texts in the file, on average
 * @param threshold share of a head's saliency from which on it counts as aggregate or gather head
 */
public record SaliencyRequest(
        RunRequest run, Optional<String> text, Optional<String> target, Optional<String> groups,
        Optional<String> texts, boolean average, Objective objective, View view, double threshold, Ablation ablation) {

    /** The scalar whose gradient is taken, at the text's last token. */
    public sealed interface Objective {
        /** The target's negative log-likelihood. */
        record Loss() implements Objective {}

        record Logit() implements Objective {}

        /** The target's logit less that of another word. */
        record LogitDifference(String word) implements Objective {}

        /** As the command line writes them. */
        public static Objective parse(String text) {
            if (text.startsWith("logit-difference:") && !text.endsWith(":")) {
                return new LogitDifference(text.substring(text.indexOf(':') + 1));
            }
            return switch (text) {
                case "loss" -> new Loss();
                case "logit" -> new Logit();
                default -> throw new InputException(
                        "--objective: \"%s\" is none of loss, logit, logit-difference:WORD".formatted(text));
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

    /** What the overview shows of a head. */
    public enum Cell {
        /** Its largest element. */
        MAX,
        /** The mean over the elements of its triangle. */
        MEAN,
        /** The whole map, made small. */
        THUMBNAIL,
        /** What flows from the ground token to the last one, as a share of all. */
        SHARE;

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What the picture shows.
     *
     * @param head      to be enlarged; empty = the one whose cell is largest
     * @param skipFirst leaves the first token's column out of everything but the enlarged map
     * @param transpose source tokens downwards
     */
    public record View(Optional<HeadName> head, Cell cell, boolean skipFirst, boolean transpose) {}

    /**
     * Heads that are silenced, to see what that does to the targets of the texts in the file.
     *
     * @param heads  empty = no such check
     * @param random draws of as many other heads, for comparison
     */
    public record Ablation(List<HeadName> heads, int random, long seed) {}

    public SaliencyRequest {
        require(text.isPresent() != average,
                average ? "--average is over --texts; leave --text out" : "give a --text, or --texts with --average");
        require(texts.isPresent() || !average, "--average needs --texts");
        require(texts.isPresent() || ablation.heads().isEmpty(), "--ablate needs --texts, over which it is measured");
        require(texts.isEmpty() || average || !ablation.heads().isEmpty(), "--texts is read with --average or --ablate");
        require(!average || target.isEmpty(), "--target belongs to --text; texts bring their own \"answer\"");
        require(!average || groups.isEmpty(), "--groups belongs to --text; texts bring their own \"groups\"");
        require(threshold > 0 && threshold <= 1, "--share-threshold must be above 0 and at most 1, not " + threshold);
        require(ablation.random() >= 0, "--random must be at least 0, not " + ablation.random());
    }

    private static void require(boolean holds, String rule) {
        if (!holds) {
            throw new InputException(rule);
        }
    }
}
