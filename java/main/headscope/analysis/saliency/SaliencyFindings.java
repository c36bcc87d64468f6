package headscope.analysis.saliency;

import headscope.analysis.saliency.SaliencyRequest.Objective;
import headscope.model.ModelConfig;
import headscope.model.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Everything that a saliency run has seen, and what follows from it.
 *
 * @param surprisals of each text under each {@link AblationSets}; empty where nothing was silenced
 */
record SaliencyFindings(
        SaliencyRequest request, ModelConfig config, Tokenizer tokenizer, List<SaliencyText> texts,
        List<SaliencyObservation> observations, SaliencyMeans means, HeadName head, HeadDetail enlarged,
        List<float[]> surprisals) {
    private static final int FIRST_FEW = 5;

    /** Largest element below which a map of the loss says little. */
    private static final double NEARLY_FLAT = 1e-3;

    SaliencySummary summary() {
        double[] values = means.columns().get(means.overview());
        return new SaliencySummary(
                objective(), texts.size(), head, unit(),
                means.ranked().stream().limit(FIRST_FEW)
                        .map(one -> new SaliencySummary.Ranked(SaliencyMeans.name(one, config.heads()), values[one]))
                        .toList(),
                enlarged.links(FIRST_FEW), request.threshold(), aggregate(), above("gather_share"), nearlyFlat(),
                silenced());
    }

    /** In words. */
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

    /** Of what the overview shows. */
    String unit() {
        return switch (request.view().cell()) {
            case MAX, THUMBNAIL -> "largest saliency";
            case MEAN -> "mean saliency";
            case SHARE -> "share of saliency";
        };
    }

    String word(int token) {
        return tokenizer.decode(new int[] {token}).strip();
    }

    /** exp of less than the mean surprisal of the targets. */
    double probability() {
        return Math.exp(-observations.stream().mapToDouble(SaliencyObservation::surprisal).average().orElseThrow());
    }

    /** Empty where no target stands in its text. */
    Optional<List<HeadName>> aggregate() {
        return Arrays.stream(means.columns().get("aggregate_share")).allMatch(Double::isNaN)
                ? Optional.empty()
                : Optional.of(above("aggregate_share"));
    }

    List<HeadName> above(String share) {
        double[] shares = means.columns().get(share);
        return IntStream.range(0, shares.length)
                .filter(one -> shares[one] >= request.threshold())
                .mapToObj(one -> SaliencyMeans.name(one, config.heads()))
                .toList();
    }

    private Optional<Double> nearlyFlat() {
        boolean flat = request.objective() instanceof Objective.Loss
                && observations.stream().allMatch(seen -> seen.largest() < NEARLY_FLAT);
        return flat ? Optional.of(probability()) : Optional.empty();
    }

    Optional<SaliencySummary.Silenced> silenced() {
        if (surprisals.isEmpty()) {
            return Optional.empty();
        }
        double[] mean = AblationSets.mean(surprisals);
        return Optional.of(new SaliencySummary.Silenced(
                surprisals.size(), request.ablation().heads(), mean[0], mean[1] - mean[0],
                Arrays.stream(mean).skip(2).map(value -> value - mean[0]).boxed().toList()));
    }
}
