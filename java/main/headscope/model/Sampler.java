package headscope.model;

import java.util.Arrays;
import java.util.Comparator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Picks the next token.
 *
 * @param temperature divides the logits; 0 = always the likeliest token
 * @param topP        only the likeliest tokens that together reach this probability are drawn from; 1 = all
 */
public record Sampler(double temperature, double topP) {
    public static final Sampler GREEDY = new Sampler(0, 1);

    public Sampler {
        if (!(temperature >= 0) || !Double.isFinite(temperature)) {
            throw new IllegalArgumentException("the temperature must be 0 or more, not " + temperature);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("top-p must be above 0 and at most 1, not " + topP);
        }
    }

    /** @param logits of every word */
    int next(float[] logits, RandomGenerator random) {
        return temperature == 0 ? likeliest(logits) : draw(logits, random);
    }

    private static int likeliest(float[] logits) {
        int best = 0;
        for (int word = 1; word < logits.length; word++) {
            best = logits[word] > logits[best] ? word : best;
        }
        return best;
    }

    private int draw(float[] logits, RandomGenerator random) {
        float peak = logits[likeliest(logits)];
        double[] weights = IntStream.range(0, logits.length)
                .mapToDouble(word -> Math.exp((logits[word] - peak) / temperature))
                .toArray();
        double total = Arrays.stream(weights).sum();
        int[] words = IntStream.range(0, weights.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer word) -> -weights[word]))
                .mapToInt(Integer::intValue)
                .toArray();
        double kept = 0;
        int count = 0;
        while (count < words.length && (count == 0 || kept < topP * total)) {
            kept += weights[words[count++]];
        }
        double mark = random.nextDouble() * kept;
        for (int i = 0; i < count; i++) {
            mark -= weights[words[i]];
            if (mark < 0) {
                return words[i];
            }
        }
        return words[count - 1];
    }
}
