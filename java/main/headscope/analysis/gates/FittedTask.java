package headscope.analysis.gates;

import headscope.result.GateScore;
import headscope.result.GatesResult;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The fits of a task and the scores of the heads.
 *
 * @param check empty for a contrast
 */
record FittedTask(GateTask task, SequencedMap<GateFit, FittedMasks> fits, Optional<GateCheck> check) {
    private int seeds() {
        return fits.firstEntry().getValue().seeds();
    }

    private int heads() {
        return fits.firstEntry().getValue().theta()[0].length;
    }

    double score(GateScore score, int seed, int head) {
        return switch (score) {
            case FACILITATION -> gate(GateFit.SHUT, seed, head);
            case INTERFERENCE -> 1 - gate(GateFit.OPEN, seed, head);
            case IRRELEVANCE -> gate(GateFit.OPEN, seed, head) * (1 - gate(GateFit.SHUT, seed, head));
            case CONTRAST -> 1 - gate(GateFit.CONTRAST, seed, head);
        };
    }

    private double gate(GateFit fit, int seed, int head) {
        return fits.get(fit).gate(seed, head);
    }

    /** Minimum over the seeds, [layers, heads]: at least 0.5 if the head has the role in every seed. */
    double[] always(GateScore score) {
        return perHead(head -> ofSeeds(score, head).min().orElseThrow());
    }

    /** Maximum over the seeds, [layers, heads]. */
    double[] any(GateScore score) {
        return perHead(head -> ofSeeds(score, head).max().orElseThrow());
    }

    double[] mean(GateScore score) {
        return perHead(head -> ofSeeds(score, head).average().orElseThrow());
    }

    /** The task in the form stored in the run folder. */
    GatesResult.Task result() {
        SequencedMap<GateScore, GatesResult.Scores> scores = new LinkedHashMap<>();
        for (GateScore score : GateScore.of(task.isContrast())) {
            scores.put(score, new GatesResult.Scores(always(score), any(score), mean(score)));
        }
        SequencedMap<String, GatesResult.Fit> results = new LinkedHashMap<>();
        fits.forEach((fit, masks) -> results.put(fit.suffix,
                new GatesResult.Fit(List.of(masks.theta()), List.of(masks.gates()), List.of(masks.nll()))));
        return new GatesResult.Task(task.name(), scores, results, check.map(GateCheck::curves));
    }

    private double[] perHead(IntToDoubleFunction value) {
        return IntStream.range(0, heads()).mapToDouble(value).toArray();
    }

    private DoubleStream ofSeeds(GateScore score, int head) {
        return IntStream.range(0, seeds()).mapToDouble(seed -> score(score, seed, head));
    }
}
