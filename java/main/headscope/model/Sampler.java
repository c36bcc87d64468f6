package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Samples the next token.
 *
 * @param temperature divides the logits; 0 = argmax
 * @param topP        nucleus sampling: draws from the most probable tokens that together reach this probability;
 *                    1 = all
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

    /**
     * The next token of each text.
     *
     * @param logits  [texts, vocabulary]
     * @param randoms one per text
     */
    public int[] next(Backend backend, Tensor logits, List<? extends RandomGenerator> randoms) {
        return temperature == 0
                ? backend.argmax(logits)
                : backend.draw(logits, temperature, topP,
                        randoms.stream().mapToDouble(RandomGenerator::nextDouble).toArray());
    }
}
