package headscope.model;

import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
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

    /** The random numbers in [0, 1) with which a text's tokens are drawn; some are generated before they are needed. */
    static final class Marks implements RandomGenerator {
        private final RandomGenerator random;
        private final Deque<Double> ahead = new ArrayDeque<>();

        Marks(RandomGenerator random) {
            this.random = random;
        }

        /** The next numbers, which {@link #nextDouble} and {@link #drawn} will remove. */
        double[] ahead(int count) {
            while (ahead.size() < count) {
                ahead.add(random.nextDouble());
            }
            return ahead.stream().limit(count).mapToDouble(Double::doubleValue).toArray();
        }

        /** Called after the device has used the next number. */
        void drawn() {
            ahead.poll();
        }

        @Override
        public double nextDouble() {
            return ahead.isEmpty() ? random.nextDouble() : ahead.poll();
        }

        @Override
        public long nextLong() {
            return random.nextLong();
        }
    }

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

    /** Chooses the next token of each text on the device. */
    void next(DecodingTexts texts, Tensor logits) {
        if (temperature == 0) {
            texts.argmax(logits);
        } else {
            texts.draw(logits, temperature, topP);
        }
    }
}
