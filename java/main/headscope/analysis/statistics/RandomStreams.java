package headscope.analysis.statistics;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Random numbers of a run: independent streams that a seed determines, the same on every machine. */
public final class RandomStreams {
    /** 2^64 / golden ratio: spreads consecutive seeds over all 64-bit numbers. */
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private RandomStreams() {}

    /** @param stream which of the seed's streams, such as the index of a text */
    public static RandomGenerator of(long seed, long stream) {
        return of(seed * SPREAD + stream);
    }

    /** The generator (L64X128MixRandom) whose initial state a number determines. */
    public static RandomGenerator of(long state) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(state);
    }

    /** Shuffles in place, every order equally likely (Fisher and Yates). */
    public static void shuffle(int[] values, RandomGenerator random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int value = values[i];
            values[i] = values[j];
            values[j] = value;
        }
    }
}
