package headscope.backend;

import headscope.Tolerance;
import headscope.metric.Metric;

/** From {@link Tolerance#softmax} of the worst row of a text to what is made of its rows. */
final class Tolerances {
    private Tolerances() {}

    static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    /** Metrics are sums in fp64: their error is that of the rows. Sorting moves no value further than the worst. */
    static double of(Metric metric, double softmax, int tokens, double value) {
        return switch (metric) {
            case Metric.AttentionScore m -> softmax + Tolerance.formula(Math.abs(value));
            // A column's mean and a probability.
            case Metric.LaplacianEigenvalues m -> 2 * softmax + Tolerance.formula(1);
            case Metric.AttentionEigenvalues m -> 2 * softmax;
            case Metric.Entropy m -> Tolerance.entropy(softmax, Math.log(tokens));
            // Divided by log 2 at least.
            case Metric.NormalisedEntropy m -> Tolerance.entropy(softmax, Math.log(tokens)) / Math.log(2);
            case Metric.MeanDistance m -> (softmax + Tolerance.formula(1)) * tokens;
            case Metric.SinkShare m -> softmax;
            case Metric.PreviousToken m -> softmax;
            case Metric.SelfAttention m -> 2 * softmax;
            case Metric.Confidence m -> softmax;
            case Metric.Symmetric m -> throw new IllegalArgumentException(m.key() + " is not made of rows");
        };
    }
}
