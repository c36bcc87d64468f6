package headscope.analysis.saliency;

import headscope.analysis.HeadName;
import java.util.List;
import java.util.Optional;

/**
 * The findings of a saliency run, for its summary.
 *
 * @param objective  in words
 * @param texts      number of texts
 * @param enlarged   the head whose map is drawn
 * @param unit       of the values that rank the heads
 * @param ranked     the first heads by decreasing overview
 * @param links      the largest elements of the enlarged map
 * @param threshold  minimum share of an aggregate or gather head
 * @param aggregate  heads that carry the target's earlier occurrence to the last token; empty if no target occurs earlier
 * @param gather     heads that carry earlier tokens to the target's earlier occurrence
 * @param nearlyFlat the probability of the target, if its loss has hardly any gradient
 */
public record SaliencySummary(
        String objective, int texts, HeadName enlarged, String unit, List<Ranked> ranked, List<Link> links,
        double threshold, Optional<List<HeadName>> aggregate, List<HeadName> gather, Optional<Double> nearlyFlat,
        Optional<Ablated> ablated) {

    public record Ranked(HeadName head, double value) {}

    /** An element of the enlarged map, from a source token to a receiving token. */
    public record Link(String source, String receiving, double value) {}

    /**
     * The effect of ablating heads on the surprisal of the targets, nats, mean over texts.
     *
     * @param before    surprisal without ablation
     * @param change    when the given heads are ablated
     * @param random    changes when a set of random other heads of the same size is ablated, one per draw
     */
    public record Ablated(int texts, List<HeadName> heads, double before, double change, List<Double> random) {}
}
