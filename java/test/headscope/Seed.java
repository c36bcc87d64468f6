package headscope;

import java.util.Arrays;
import java.util.Random;

/** Where random inputs come from: another number in every run, printed by what fails, set by -Dheadscope.seed. */
public final class Seed {
    private static final long VALUE = Long.getLong("headscope.seed", System.nanoTime() & 0x7fff_ffffL);

    private Seed() {}

    /** The same numbers for the same purpose, whichever tests ran before. */
    public static Random random(Object... purpose) {
        return new Random(VALUE * 0x9E3779B97F4A7C15L + Arrays.deepHashCode(purpose));
    }

    /** For the message of an assertion. */
    public static String reproduce() {
        return " [again with -Dheadscope.seed=" + VALUE + "]";
    }
}
