package headscope.analysis.gates;

import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * All that was fitted to a task, and the heads' scores.
 *
 * @param check none of a contrast
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

    /** The least over the seeds [layers * heads]: at least 0.5 where the head has the role in every seed. */
    double[] always(GateScore score) {
        return perHead(head -> ofSeeds(score, head).min().orElseThrow());
    }

    /** The largest over the seeds. */
    double[] any(GateScore score) {
        return perHead(head -> ofSeeds(score, head).max().orElseThrow());
    }

    double[] mean(GateScore score) {
        return perHead(head -> ofSeeds(score, head).average().orElseThrow());
    }

    private double[] perHead(IntToDoubleFunction value) {
        return IntStream.range(0, heads()).mapToDouble(value).toArray();
    }

    private DoubleStream ofSeeds(GateScore score, int head) {
        return IntStream.range(0, seeds()).mapToDouble(seed -> score(score, seed, head));
    }
}
