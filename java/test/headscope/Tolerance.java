package headscope;

import headscope.metric.Metric;
import headscope.tensor.DType;

/**
 * Maximum differences between two correct results, with their reasons.
 *
 * <p>fp32 has a rounding error of 2^-24 = 6e-8 per operation. The methods return this error times the number of
 * operations on an element, which is a bound and not an estimate, so that tests pass with every seed.
 */
public final class Tolerance {
    private static final double ROUNDING = 0x1p-24;

    /**
     * Roundings in a formula besides its sums: a few multiplications and divisions, a square root, and exp or tanh with
     * a relative error of 1e-6, which is 17 roundings.
     */
    private static final int FORMULA = 24;

    /** An absolute error that covers results in the subnormal range of fp32, and products that underflow. */
    private static final double UNDERFLOW = 0x1p-100;

    /**
     * Two fp32 results of a whole model, with an error proportional to the largest value. A logit of the models in
     * these tests results from some 20 sums of 50 to 100 terms whose rounding errors depend on the order of summation.
     * They grow with the square root of the number of terms and are amplified by the layers: a few hundred roundings.
     */
    public static float fp32(float[] values) {
        return (float) (400 * ROUNDING) * Math.max(1, largest(values));
    }

    /**
     * A result of a whole model with operands of this type, against fp32: the error of fp32 or 64 roundings to 16 bits
     * of the largest value. The random weights of the models in these tests amplify an error layer by layer.
     */
    public static float model(DType operands, float[] values) {
        return Math.max(fp32(values), (float) (64 * rounding(operands)) * largest(values));
    }

    /**
     * Two fp32 gradients of a whole model: roundings of the forward pass and of the backward pass. The error of small
     * gradients, which result from cancellation, is that of the largest.
     */
    public static float gradient(float[] values) {
        return (float) (800 * ROUNDING) * largest(values);
    }

    /**
     * (8 f(x + step) - 8 f(x - step) - f(x + 2 step) + f(x - 2 step)) / (12 step) as the derivative of a whole model's
     * loss: the rounding of differences of fp32 losses, and step^4 times the fifth derivative, which for gates in three
     * layers of softmax is up to a thousand times the loss.
     */
    public static double centralDifference(double step, double loss) {
        return 100 * ROUNDING * loss / step + 1000 * Math.pow(step, 4) * loss;
    }

    /**
     * Gates after a dozen steps of Adam with rate 0.1: Adam divides a gradient by its magnitude, so that an error of
     * one thousandth of a small gradient changes a logit by a thousandth of a step, and a gate by a quarter of that.
     */
    public static final float GATES = 1e-4f;

    /** Two fp32 probabilities of a whole model: the error of a probability p is p times that of its score. */
    public static final float PROBABILITY = (float) (400 * ROUNDING);

    /**
     * A sum in any order: each term is rounded at most as often as there are terms.
     *
     * @param magnitude sum of the terms' absolute values
     */
    public static double sum(int terms, double magnitude) {
        return (terms + FORMULA) * ROUNDING * magnitude + UNDERFLOW;
    }

    /** A formula without sums whose largest intermediate value is magnitude. */
    public static double formula(double magnitude) {
        return sum(0, magnitude);
    }

    /**
     * Relative error of a probability and absolute error of a log-sum-exp. A score is a sum of headDim products, whose
     * error enters as an exponent twice, in the numerator and in the denominator; the denominator is a sum over the
     * keys.
     *
     * @param magnitude largest sum of absolute values of the terms of a score in the row
     */
    public static double softmax(int headDim, int keys, double magnitude) {
        return Math.expm1(2 * sum(headDim, magnitude) + sum(keys, 1));
    }

    /**
     * A share of a softmax over given fp32 logits. How far a logit lies below the largest one, at most -log(share), is rounded
     * before it is an exponent.
     */
    public static double share(int terms, double share) {
        return sum(terms, share) - ROUNDING * share * Math.log(share);
    }

    /** An entropy: d(p log p) = (log p + 1) dp, summed over a row with a sum of at most 1. */
    public static double entropy(double softmax, double entropy) {
        return 2 * softmax * (entropy + 1);
    }

    /**
     * dL/ds_ij = p_ij (dL/dp_ij - g_i . o_i), relative to p_ij. Both terms are sums of headDim products and at most the
     * magnitude. p has the error of softmax, as has o, which is also a sum over the keys. The derivative of a soft cap
     * has at most twice the score's error over the cap, which is less than another softmax.
     *
     * @param magnitude sum of |g_i| times the largest |v|
     */
    public static double scoreGradient(double softmax, int headDim, int keys, double magnitude) {
        return 5 * softmax * magnitude + 2 * sum(headDim, magnitude) + sum(keys, magnitude) + formula(2 * magnitude);
    }

    /** |p_ij dL/dp_ij|, relative to p_ij, and its sums over rows and columns. */
    public static double saliency(double softmax, int headDim, int keys, double magnitude) {
        return softmax * magnitude + sum(headDim, magnitude) + sum(2 * keys, magnitude);
    }

    /**
     * A gradient against a central difference of fp32 results with step 1 / 32, relative to the larger of 1 and the
     * gradient: the rounding of results around 50, times 32, is 2e-4; the truncation error is the third derivative
     * times 4e-5.
     */
    public static final double CENTRAL_DIFFERENCE = 2e-3;

    /**
     * An eigenvalue of I - D^-1/2 W D^-1/2, whose error is at most the norm of the matrix's error (Weyl). If the
     * entries of W have a relative error r, those of the product have an error of at most 2 r, and the product has norm
     * 1. The error of LAPACK in fp64 is negligible; reflections in fp32 add one rounding of the norm, which is at most
     * 2, per token.
     */
    public static double eigenvalue(double softmax, int tokens) {
        return 2 * Math.expm1(softmax) + sum(tokens, 2);
    }

    /**
     * A metric, from {@link #softmax} of the worst row of a text. Metrics are sums in fp64, whose error is that of the
     * rows. Sorting does not increase the largest error.
     */
    public static double metric(Metric metric, double softmax, int tokens, double value) {
        return switch (metric) {
            case Metric.AttentionScore m -> softmax + formula(Math.abs(value));
            // The error of a column's mean and that of a probability.
            case Metric.LaplacianEigenvalues m -> 2 * softmax + formula(1);
            case Metric.AttentionEigenvalues m -> 2 * softmax;
            case Metric.Entropy m -> entropy(softmax, Math.log(tokens));
            // Entropies are divided by log 2 or more.
            case Metric.NormalisedEntropy m -> entropy(softmax, Math.log(tokens)) / Math.log(2);
            case Metric.MeanDistance m -> (softmax + formula(1)) * tokens;
            case Metric.SinkShare m -> softmax;
            case Metric.PreviousToken m -> softmax;
            case Metric.SelfAttention m -> 2 * softmax;
            case Metric.Confidence m -> softmax;
            case Metric.Symmetric m -> eigenvalue(softmax, tokens);
        };
    }

    /**
     * Relative error of rounding to the operands' type: half an ulp of 1. That of fp32 is part of the other tolerances.
     */
    public static double rounding(DType operands) {
        return switch (operands) {
            case BF16 -> 0x1p-8;
            case F16 -> 0x1p-11;
            default -> 0;
        };
    }

    /** Relative error of a sum of this many terms in fp64. */
    public static double fp64(int terms) {
        return (terms + FORMULA) * 0x1p-53;
    }

    /** An fp32 value that was rounded from fp64 and multiplied once. */
    public static double stored(double value) {
        return 2 * ROUNDING * Math.abs(value);
    }

    /** A value printed with four decimals, the last of which may be rounded twice. */
    public static final double FOUR_DECIMALS = 6e-5;

    private Tolerance() {}

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
