package headscope;

import java.util.Arrays;
import java.util.Random;

/** Seed of random inputs: different in every run, printed by failing tests, set by -Dheadscope.seed. */
public final class Seed {
    private static final long VALUE = Long.getLong("headscope.seed", System.nanoTime() & 0x7fff_ffffL);

    private Seed() {}

    /** A generator that depends on seed and purpose only, not on earlier tests. */
    public static Random random(Object... purpose) {
        return new Random(VALUE * 0x9E3779B97F4A7C15L + Arrays.deepHashCode(purpose));
    }

    /** Text for the message of an assertion: how to repeat the run. */
    public static String reproduce() {
        return " [again with -Dheadscope.seed=" + VALUE + "]";
    }
}
