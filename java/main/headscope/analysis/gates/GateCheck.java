package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;
import headscope.analysis.statistics.RandomStreams;
import headscope.result.GateCurve;
import headscope.result.GatesResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Checks fitted gates: starting from G+, closes heads one by one, those with the lowest gate of G- first, or
 * opens them, those with the lowest gate of G+ first; and both in random order.
 *
 * @param curves mean log probability over seeds, texts and answer tokens, nats
 */
record GateCheck(GatesResult.Check curves) {
    /**
     * @param opened  G+
     * @param shut    G-
     * @param steps   number of steps from no head changed to all, at most the number of heads
     * @param seed    for the random orders
     * @param stepped called {@link #steps} times
     */
    static GateCheck of(
            GatedModel model, List<PromptAnswer> texts, FittedMasks opened, FittedMasks shut, int steps, long seed,
            Runnable stepped) {
        int[] heads = IntStream.rangeClosed(0, steps)
                .map(step -> Math.toIntExact(Math.round((double) model.heads() * step / steps)))
                .toArray();
        SequencedMap<GateCurve, double[]> logProb = new LinkedHashMap<>();
        for (GateCurve curve : GateCurve.values()) {
            int[][] orders = orders(curve.gate == 0 ? shut : opened, curve.random, seed);
            double[] values = new double[heads.length];
            for (int i = 0; i < heads.length; i++) {
                values[i] = logProb(model, texts, changed(opened.gates(), orders, heads[i], curve.gate));
                stepped.run();
            }
            logProb.put(curve, values);
        }
        return new GateCheck(new GatesResult.Check(heads, logProb));
    }

    /** Number of steps of all curves. */
    static int steps(int steps) {
        return GateCurve.values().length * (steps + 1);
    }

    /** With no head changed: under G+. */
    double underGates() {
        return curves.logProb().get(GateCurve.OPEN)[0];
    }

    /** With all heads open: the model without gates. */
    double ungated() {
        return curves.logProb().get(GateCurve.OPEN)[curves.heads().length - 1];
    }

    /** The order in which heads are changed, [seeds][layers * heads]. */
    private static int[][] orders(FittedMasks fitted, boolean random, long seed) {
        RandomGenerator generator = RandomStreams.of(~seed);
        int[][] orders = new int[fitted.seeds()][];
        for (int i = 0; i < orders.length; i++) {
            float[] theta = fitted.theta()[i];
            orders[i] = random
                    ? new BatchSampler(generator, theta.length, theta.length).next()
                    : IntStream.range(0, theta.length).boxed()
                            .sorted((a, b) -> Float.compare(theta[a], theta[b]))
                            .mapToInt(Integer::intValue)
                            .toArray();
        }
        return orders;
    }

    private static float[][] changed(float[][] gates, int[][] orders, int count, float gate) {
        for (int seed = 0; seed < gates.length; seed++) {
            for (int i = 0; i < count; i++) {
                gates[seed][orders[seed][i]] = gate;
            }
        }
        return gates;
    }

    private static double logProb(GatedModel model, List<PromptAnswer> texts, float[][] masks) {
        List<GatedText> gated = new ArrayList<>();
        for (int mask = 0; mask < masks.length; mask++) {
            for (PromptAnswer text : texts) {
                gated.add(new GatedText(text, mask, 1));
            }
        }
        return -Arrays.stream(model.nll(gated, masks)).average().orElseThrow();
    }
}
