package headscope.model;

/**
 * Rotary position embedding (Su et al. 2021) with the scalings of published checkpoints.
 *
 * @param theta   base of the wavelengths
 * @param rotated elements of a head that are turned, the next even number where odd; the rest keep their value
 */
record Rope(double theta, int rotated, Scaling scaling) {
    /** How wavelengths are stretched beyond the length of training. */
    sealed interface Scaling {}

    record Unscaled() implements Scaling {}

    /** Every frequency divided by factor. */
    record Linear(double factor) implements Scaling {}

    /** Llama 3.1: long wavelengths stretched, short ones kept, in between interpolated. */
    record Llama3(double factor, double low, double high, double originalTokens) implements Scaling {}

    /** YaRN, Peng et al. 2023; magnitude multiplies cosine and sine. */
    record Yarn(
            double factor, double betaFast, double betaSlow, double originalTokens, boolean truncate,
            double magnitude) implements Scaling {}

    /** Radians per token, one per pair of elements, in fp32 as the reference implementations keep them. */
    float[] frequencies() {
        float[] frequencies = new float[(rotated + 1) / 2];
        for (int j = 0; j < frequencies.length; j++) {
            double plain = Math.pow(theta, -2.0 * j / rotated);
            frequencies[j] = (float) switch (scaling) {
                case Unscaled s -> plain;
                case Linear s -> plain / s.factor();
                case Llama3 s -> llama3(plain, s);
                case Yarn s -> yarn(plain, j, s);
            };
        }
        return frequencies;
    }

    /** Factor on cosine and sine. */
    double magnitude() {
        return scaling instanceof Yarn yarn ? yarn.magnitude() : 1;
    }

    private static double llama3(double frequency, Llama3 s) {
        double turns = s.originalTokens() * frequency / (2 * Math.PI);
        double kept = Math.clamp((turns - s.low()) / (s.high() - s.low()), 0, 1);
        return (1 - kept) * frequency / s.factor() + kept * frequency;
    }

    private double yarn(double frequency, int j, Yarn s) {
        double from = pairThatTurns(s.betaFast(), s);
        double to = pairThatTurns(s.betaSlow(), s);
        if (s.truncate()) {
            from = Math.floor(from);
            to = Math.ceil(to);
        }
        from = Math.max(from, 0);
        to = Math.min(to, rotated - 1.0);
        double stretched = Math.clamp((j - from) / Math.max(to - from, 1e-3), 0, 1);
        return stretched * frequency / s.factor() + (1 - stretched) * frequency;
    }

    /** The (fractional) pair that makes so many turns over the original length. */
    private double pairThatTurns(double turns, Yarn s) {
        return rotated * Math.log(s.originalTokens() / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }
}
