package headscope.analysis.saliency;

import headscope.analysis.HeadName;
import headscope.analysis.saliency.SaliencyRequest.Objective;
import headscope.model.ModelConfig;
import headscope.model.text.Tokenizer;
import headscope.result.Manifest;
import headscope.result.SaliencyCell;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import headscope.result.TokenNames;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * Everything that a saliency run has measured, and what follows from it.
 *
 * @param head       the enlarged one
 * @param details    the maps of the enlarged head and of the other heads of the request
 * @param surprisals per text, one under each of {@link AblationSets}; empty if no head was ablated
 */
record SaliencyFindings(
        SaliencyRequest request, ModelConfig config, Tokenizer tokenizer, List<SaliencyText> texts,
        List<SaliencyObservation> observations, SaliencyMeans means, HeadName head,
        SequencedMap<HeadName, HeadDetail> details,
        List<float[]> surprisals) {
    private static final int TOP = 5;

    /** What decoding gives for a part of a character. */
    private static final char UNDECODABLE = '\uFFFD';

    /** The maps of a loss are nearly flat if their largest element is below this. */
    private static final double NEARLY_FLAT = 1e-3;

    /** The enlarged map. */
    HeadDetail detail() {
        return details.get(head);
    }

    SaliencySummary summary() {
        double[] values = means.columns().get(means.overview());
        return new SaliencySummary(
                objective(), texts.size(), head, unit(),
                means.ranked().stream().limit(TOP)
                        .map(one -> new SaliencySummary.Ranked(HeadName.of(one, config.heads()), values[one]))
                        .toList(),
                detail().links(TOP), request.threshold(), aggregate(), above(SaliencyColumn.GATHER_SHARE), nearlyFlat(),
                ablated());
    }

    /** The objective in words, for the caption and the summary. */
    String objective() {
        String target = texts.size() == 1
                ? "\"%s\"".formatted(word(observations.getFirst().target()))
                : "each text's answer";
        return switch (request.objective()) {
            case Objective.Loss o -> "loss at predicting " + target;
            case Objective.Logit o -> "logit of " + target;
            case Objective.LogitDifference o -> "logit of %s less that of \"%s\"".formatted(target, o.word());
        };
    }

    /** Unit of the overview. */
    String unit() {
        return switch (request.view().cell()) {
            case MAX, THUMBNAIL -> "largest saliency";
            case MEAN -> "mean saliency";
            case SHARE -> "share of saliency";
        };
    }

    /** The text of a token; of a part of a character its bytes. */
    String word(int token) {
        String decoded = tokenizer.decode(new int[] {token}).strip();
        return decoded.isEmpty() || decoded.indexOf(UNDECODABLE) >= 0
                ? TokenNames.ofPiece(tokenizer.token(token))
                : decoded;
    }

    /** Geometric mean of the probability of the targets. */
    double probability() {
        return Math.exp(-observations.stream().mapToDouble(SaliencyObservation::surprisal).average().orElseThrow());
    }

    /** Empty if no target occurs earlier in its text. */
    Optional<List<HeadName>> aggregate() {
        return Arrays.stream(means.columns().get(SaliencyColumn.AGGREGATE_SHARE)).allMatch(Double::isNaN)
                ? Optional.empty()
                : Optional.of(above(SaliencyColumn.AGGREGATE_SHARE));
    }

    List<HeadName> above(SaliencyColumn share) {
        double[] shares = means.columns().get(share);
        return IntStream.range(0, shares.length)
                .filter(one -> shares[one] >= request.threshold())
                .mapToObj(one -> HeadName.of(one, config.heads()))
                .toList();
    }

    private Optional<Double> nearlyFlat() {
        boolean flat = request.objective() instanceof Objective.Loss
                && observations.stream().allMatch(text -> text.largest() < NEARLY_FLAT);
        return flat ? Optional.of(probability()) : Optional.empty();
    }

    Optional<SaliencySummary.Ablated> ablated() {
        if (surprisals.isEmpty()) {
            return Optional.empty();
        }
        double[] mean = AblationSets.mean(surprisals);
        return Optional.of(new SaliencySummary.Ablated(
                surprisals.size(), request.ablation().heads(), mean[0], mean[1] - mean[0],
                Arrays.stream(mean).skip(2).map(value -> value - mean[0]).boxed().toList()));
    }

    SaliencyResult result(Manifest manifest) {
        boolean sameGroups = texts.stream().map(SaliencyText::labels).distinct().count() == 1;
        SaliencyObservation first = observations.getFirst();
        int side = Math.min(SaliencyFold.SIDE, detail().side().tokens().size());
        return new SaliencyResult(
                manifest, config.layers(), config.heads(), means.columns(), detail().side(), detail().values(),
                request.view().cell() == SaliencyCell.THUMBNAIL
                        ? Optional.of(new SaliencyResult.Thumbnails(side, SaliencyMeans.ofMaps(
                                observations.stream().map(SaliencyObservation::small).toList())))
                        : Optional.empty(),
                observations.stream().map(text -> text.result(sameGroups)).toList(),
                request.average()
                        ? Optional.empty()
                        : Optional.of(new SaliencyResult.Sums(first.rows(), first.columns(), first.signed())),
                surprisals, request.view().maps().stream().map(one -> details.get(one).values()).toList());
    }
}
