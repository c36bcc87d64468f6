package headscope.model;

/**
 * Rotary position embedding (Su et al. 2021) with the scalings of published checkpoints.
 *
 * @param theta   base of the frequencies
 * @param rotated leading elements of a head that are rotated, rounded up to an even number; the rest are unchanged
 */
record Rope(double theta, int rotated, Scaling scaling) {
    /** Change of the frequencies for texts longer than those in training. */
    sealed interface Scaling {}

    record Unscaled() implements Scaling {}

    /** Divides every frequency by factor. */
    record Linear(double factor) implements Scaling {}

    /**
     * Llama 3.1: divides low frequencies by factor, keeps high ones and interpolates in between.
     *
     * @param low  rotations within the original length up to which a frequency is low
     * @param high rotations from which it is high
     */
    record Llama3(double factor, double low, double high, double originalTokens) implements Scaling {}

    /**
     * YaRN (Peng et al. 2023).
     *
     * @param magnitude factor on cosine and sine
     */
    record Yarn(
            double factor, double betaFast, double betaSlow, double originalTokens, boolean truncate,
            double magnitude) implements Scaling {}

    /**
     * Radians per token, one per pair of elements. Every step is rounded to fp32, as in transformers: after 100,000 tokens,
     * angles of exact frequencies would differ by 0.01.
     */
    float[] frequencies() {
        float[] frequencies = new float[(rotated + 1) / 2];
        for (int j = 0; j < frequencies.length; j++) {
            float unscaled = 1 / (float) Math.pow((float) theta, 2f * j / rotated);
            frequencies[j] = switch (scaling) {
                case Unscaled s -> unscaled;
                case Linear s -> unscaled / (float) s.factor();
                case Llama3 s -> llama3(unscaled, s);
                case Yarn s -> yarn(unscaled, j, s);
            };
        }
        return frequencies;
    }

    /** Factor on cosine and sine. */
    double magnitude() {
        return scaling instanceof Yarn yarn ? yarn.magnitude() : 1;
    }

    private static float llama3(float frequency, Llama3 s) {
        // PyTorch divides a number by a tensor as the number times the reciprocal.
        float wavelength = 1 / frequency * (float) (2 * Math.PI);
        float rotations = 1 / wavelength * (float) s.originalTokens();
        float kept = Math.clamp((rotations - (float) s.low()) / (float) (s.high() - s.low()), 0f, 1f);
        return (1 - kept) * frequency / (float) s.factor() + kept * frequency;
    }

    private float yarn(float frequency, int j, Yarn s) {
        double from = pairWithRotations(s.betaFast(), s);
        double to = pairWithRotations(s.betaSlow(), s);
        if (s.truncate()) {
            from = Math.floor(from);
            to = Math.ceil(to);
        }
        from = Math.max(from, 0);
        to = Math.min(to, rotated - 1.0);
        to += from == to ? 1e-3 : 0;
        // transformers has rotated / 2 steps for (rotated + 1) / 2 pairs; of 3 elements, both pairs take the only step.
        int step = rotated == 3 ? 0 : j;
        float kept = 1 - Math.clamp((step - (float) from) / (float) (to - from), 0f, 1f);
        float stretched = 1 / ((float) s.factor() * (float) Math.pow((float) theta, 2f * j / rotated));
        return stretched * (1 - kept) + frequency * kept;
    }

    /** Fractional index of the pair that makes this number of rotations within the original length. */
    private double pairWithRotations(double rotations, Yarn s) {
        return rotated * Math.log(s.originalTokens() / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }
}
