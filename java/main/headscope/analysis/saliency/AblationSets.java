package headscope.analysis.saliency;

import headscope.analysis.saliency.SaliencyRequest.Ablation;
import headscope.analysis.statistics.RandomStreams;
import headscope.model.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Sets of ablated heads.
 *
 * @param gates factors on the outputs of heads, one array [layers * heads] per set: none ablated, then the given heads,
 *              then one set of random other heads, of the same size, per draw
 */
record AblationSets(List<float[]> gates) {
    static AblationSets of(Ablation ablation, ModelConfig config) {
        int[] given = ablation.heads().stream().mapToInt(head -> head.layer() * config.heads() + head.head()).toArray();
        float[] all = new float[config.layers() * config.heads()];
        Arrays.fill(all, 1);
        List<float[]> gates = new ArrayList<>(List.of(all, without(all, given, given.length)));
        RandomGenerator random = RandomStreams.of(ablation.seed());
        for (int draw = 0; draw < ablation.random(); draw++) {
            gates.add(without(all, others(all, given, random), given.length));
        }
        return new AblationSets(gates);
    }

    private static float[] without(float[] gates, int[] heads, int count) {
        float[] ablated = gates.clone();
        for (int i = 0; i < count; i++) {
            ablated[heads[i]] = 0;
        }
        return ablated;
    }

    /** All heads but the given ones, in random order. */
    private static int[] others(float[] all, int[] given, RandomGenerator random) {
        float[] rest = without(all, given, given.length);
        int[] others = new int[all.length - given.length];
        int count = 0;
        for (int head = 0; head < all.length; head++) {
            if (rest[head] == 1) {
                int place = random.nextInt(count + 1);
                others[count++] = others[place];
                others[place] = head;
            }
        }
        return others;
    }

    /** Mean surprisal over texts, one per set. */
    static double[] mean(List<float[]> surprisals) {
        double[] mean = new double[surprisals.getFirst().length];
        for (float[] ofText : surprisals) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += ofText[i] / surprisals.size();
            }
        }
        return mean;
    }
}
