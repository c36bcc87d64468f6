package headscope.analysis.saliency;

import headscope.analysis.saliency.SaliencyRequest.Ablation;
import headscope.model.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Factors on the outputs of heads, [layers * heads] each: all ones, then zero for the heads that were named, then zero
 * for as many others, drawn again and again.
 */
record AblationSets(List<float[]> gates) {
    static AblationSets of(Ablation ablation, ModelConfig config) {
        int[] named = ablation.heads().stream().mapToInt(head -> head.layer() * config.heads() + head.head()).toArray();
        float[] all = new float[config.layers() * config.heads()];
        Arrays.fill(all, 1);
        List<float[]> gates = new ArrayList<>(List.of(all, without(all, named, named.length)));
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(ablation.seed());
        for (int draw = 0; draw < ablation.random(); draw++) {
            gates.add(without(all, others(all, named, random), named.length));
        }
        return new AblationSets(gates);
    }

    private static float[] without(float[] gates, int[] heads, int count) {
        float[] left = gates.clone();
        for (int i = 0; i < count; i++) {
            left[heads[i]] = 0;
        }
        return left;
    }

    /** All heads but the named, in random order. */
    private static int[] others(float[] all, int[] named, RandomGenerator random) {
        float[] rest = without(all, named, named.length);
        int[] others = new int[all.length - named.length];
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

    /** Mean over texts of each set's surprisals. */
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
