package headscope;

/**
 * How far two right answers may be apart, and why.
 *
 * <p>fp32 has a rounding error of 2^-24 = 6e-8 per operation. A logit of the models here goes through some 20 sums
 * of 50 to 100 terms whose rounding errors differ with the order of summation; they grow like the square root of the
 * number of terms and are multiplied by the layers' gains: a few hundred roundings of the largest value.
 */
public final class Tolerance {
    private static final float ROUNDING = 0x1p-24f;

    /** Between two fp32 results of a whole model, whose errors scale with the largest of the values. */
    public static float fp32(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return 400 * ROUNDING * Math.max(1, largest);
    }

    /** Between two fp32 probabilities of a whole model: a probability p moves by p times its score's error. */
    public static final float PROBABILITY = 400 * ROUNDING;

    private Tolerance() {}
}
