package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Tensor;
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

    /** @param logits [1, vocabulary] */
    int next(Backend backend, Tensor logits, RandomGenerator random) {
        return temperature == 0
                ? backend.argmax(logits)[0]
                : backend.draw(logits, temperature, topP, new double[] {random.nextDouble()})[0];
    }
}
