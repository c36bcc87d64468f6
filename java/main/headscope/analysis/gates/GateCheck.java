package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/**
 * What becomes of the answers where G+ is left step by step: heads are shut one after the other, those first that stay
 * open least when pushed shut; or opened, those first that stay shut most when pushed open; and both in random order.
 *
 * @param heads   how many are changed, from 0 to all
 * @param logProb mean over seeds, texts and an answer's tokens, nats; by curve
 */
record GateCheck(int[] heads, SequencedMap<Curve, double[]> logProb) {
    enum Curve {
        /** From the lowest gate of G- up. */
        SHUT(0, false),
        /** From the lowest gate of G+ up. */
        OPEN(1, false),
        SHUT_RANDOM(0, true),
        OPEN_RANDOM(1, true);

        private final float gate;
        private final boolean random;

        Curve(float gate, boolean random) {
            this.gate = gate;
            this.random = random;
        }
    }

    /**
     * @param opened  G+
     * @param shut    G-
     * @param steps   at most the heads
     * @param seed    of the random orders
     * @param stepped called steps(steps) times
     */
    static GateCheck of(
            GatedModel model, List<PromptAnswer> texts, FittedMasks opened, FittedMasks shut, int steps, long seed,
            Runnable stepped) {
        int[] heads = IntStream.rangeClosed(0, steps)
                .map(step -> Math.toIntExact(Math.round((double) model.heads() * step / steps)))
                .toArray();
        SequencedMap<Curve, double[]> logProb = new LinkedHashMap<>();
        for (Curve curve : Curve.values()) {
            int[][] orders = orders(curve.gate == 0 ? shut : opened, curve.random, seed);
            double[] values = new double[heads.length];
            for (int i = 0; i < heads.length; i++) {
                values[i] = logProb(model, texts, changed(opened.gates(), orders, heads[i], curve.gate));
                stepped.run();
            }
            logProb.put(curve, values);
        }
        return new GateCheck(heads, logProb);
    }

    /** How often a check tells that it has come further. */
    static int steps(int steps) {
        return Curve.values().length * (steps + 1);
    }

    /** With no head changed: under G+ itself. */
    double underGates() {
        return logProb.get(Curve.OPEN)[0];
    }

    /** With all of them open: the model as it is. */
    double ungated() {
        return logProb.get(Curve.OPEN)[heads.length - 1];
    }

    /** [seeds][layers * heads]. */
    private static int[][] orders(FittedMasks fitted, boolean random, long seed) {
        RandomGenerator shuffling = RandomGeneratorFactory.of("L64X128MixRandom").create(~seed);
        int[][] orders = new int[fitted.seeds()][];
        for (int i = 0; i < orders.length; i++) {
            float[] theta = fitted.theta()[i];
            orders[i] = random
                    ? new BatchSampler(shuffling, theta.length, theta.length).next()
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
