package headscope.analysis.saliency;

import java.util.List;
import java.util.Optional;

/**
 * What a saliency run found, for whoever runs it.
 *
 * @param objective  in words
 * @param texts      how many the picture is of
 * @param enlarged   the head whose map is drawn
 * @param unit       of what ranks the heads
 * @param ranked     heads by what the overview shows of them, the first few
 * @param links      the largest elements of the enlarged map
 * @param threshold  share from which on a head counts as one of the next two
 * @param aggregate  heads that carry the ground token to the last one; empty where no target stands in its text
 * @param gather     heads that gather what stands before the ground token
 * @param nearlyFlat the probability of a target whose loss has hardly a gradient
 */
public record SaliencySummary(
        String objective, int texts, HeadName enlarged, String unit, List<Ranked> ranked, List<Link> links,
        double threshold, Optional<List<HeadName>> aggregate, List<HeadName> gather, Optional<Double> nearlyFlat,
        Optional<Silenced> silenced) {

    public record Ranked(HeadName head, double value) {}

    /** From a source token to a receiving one. */
    public record Link(String source, String receiving, double value) {}

    /**
     * What silencing heads does to the targets' surprisal, nats, mean over texts.
     *
     * @param before    with all heads
     * @param change    without the heads that were named
     * @param random    without as many others, each draw
     */
    public record Silenced(int texts, List<HeadName> heads, double before, double change, List<Double> random) {}
}
