package headscope;

import headscope.metric.Metric;
import headscope.tensor.DType;

/**
 * How far two right answers may be apart, and why.
 *
 * <p>fp32 has a rounding error of 2^-24 = 6e-8 per operation. What the methods give is rounding times the number of
 * operations that an element went through: a bound, not an estimate, so that no seed breaks it.
 */
public final class Tolerance {
    private static final double ROUNDING = 0x1p-24;

    /**
     * Operations of a formula besides its sums: a few multiplications and divisions, a root, and exp or tanh, which
     * fp32 gives within 1e-6, 17 roundings.
     */
    private static final int FORMULA = 24;

    /** Below this fp32 has fewer digits or none, and products of it vanish. */
    private static final double UNDERFLOW = 0x1p-100;

    /**
     * Between two fp32 results of a whole model, whose errors scale with the largest of the values. A logit of the
     * models here goes through some 20 sums of 50 to 100 terms whose rounding errors differ with the order of
     * summation; they grow like the square root of the number of terms and are multiplied by the layers' gains: a few
     * hundred roundings of the largest value.
     */
    public static float fp32(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return (float) (400 * ROUNDING) * Math.max(1, largest);
    }

    /**
     * Between a result of a whole model whose products read numbers of this type, and that of fp32: what fp32 may be
     * off, or 64 roundings of 16 bits of the largest of the values: random weights as large as those of the models here
     * multiply an error layer by layer.
     */
    public static float model(DType operands, float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return Math.max(fp32(values), (float) (64 * rounding(operands)) * largest);
    }

    /**
     * Between two fp32 gradients of a whole model: rounding of the way there, which is computed again on the way back,
     * and of the way back. Gradients that cancel to little carry the errors of the largest.
     */
    public static float gradient(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return (float) (800 * ROUNDING) * largest;
    }

    /**
     * Of (8 f(x + step) - 8 f(x - step) - f(x + 2 step) + f(x - 2 step)) / (12 step) as a derivative of a whole model's
     * loss: what fp32 leaves of differences of losses, and step^4 times the fifth derivative, which for gates within
     * three layers of softmax reaches a thousand times the loss.
     */
    public static double centralDifference(double step, double loss) {
        return 100 * ROUNDING * loss / step + 1000 * Math.pow(step, 4) * loss;
    }

    /**
     * Between two descents of gates by Adam in a dozen steps of 0.1: a step divides a gradient by its own size, so that
     * an error of a thousandth of a small gradient moves a logit by a thousandth of a step, and a gate by a quarter.
     */
    public static final float GATES = 1e-4f;

    /** Between two fp32 probabilities of a whole model: a probability p moves by p times its score's error. */
    public static final float PROBABILITY = (float) (400 * ROUNDING);

    /**
     * Of a sum in any order: each term meets at most as many roundings as there are terms.
     *
     * @param terms     how many
     * @param magnitude sum of the terms' absolute values
     */
    public static double sum(int terms, double magnitude) {
        return (terms + FORMULA) * ROUNDING * magnitude + UNDERFLOW;
    }

    /** Of a formula without sums whose largest intermediate value is magnitude. */
    public static double formula(double magnitude) {
        return sum(0, magnitude);
    }

    /**
     * Relative, of a probability; absolute, of a log-sum-exp. A score is a sum of headDim products, its error goes
     * into the exponent, twice: of the probability and of the row's total, which is a sum over the keys by itself.
     *
     * @param magnitude largest sum of absolute values that makes a score of the row
     */
    public static double softmax(int headDim, int keys, double magnitude) {
        return Math.expm1(2 * sum(headDim, magnitude) + sum(keys, 1));
    }

    /** Of an entropy: d(p log p) = (log p + 1) dp, over a row that sums to one at most. */
    public static double entropy(double softmax, double entropy) {
        return 2 * softmax * (entropy + 1);
    }

    /**
     * Of dL/ds_ij = p_ij (dL/dp_ij - g_i . o_i), as a share of p_ij. Both terms are at most the magnitude, and sums of
     * headDim products; p moves by softmax, and so does o, which is a sum over the keys besides. A soft cap's slope
     * moves by at most twice the score's error over the cap, which is less than softmax once more.
     *
     * @param magnitude sum of |g_i| times the largest |v|
     */
    public static double scoreGradient(double softmax, int headDim, int keys, double magnitude) {
        return 5 * softmax * magnitude + 2 * sum(headDim, magnitude) + sum(keys, magnitude) + formula(2 * magnitude);
    }

    /** Of |p_ij dL/dp_ij|, as a share of p_ij; and of its sums over rows and columns. */
    public static double saliency(double softmax, int headDim, int keys, double magnitude) {
        return softmax * magnitude + sum(headDim, magnitude) + sum(2 * keys, magnitude);
    }

    /**
     * Between a gradient and a central difference of fp32 results over 1 / 32, relative to the larger of 1 and the
     * gradient: the rounding of results of some tens, times 32, is 2e-4; what the difference leaves out is the third
     * derivative times 4e-5.
     */
    public static final double CENTRAL_DIFFERENCE = 2e-3;

    /**
     * Of an eigenvalue of I - D^-1/2 W D^-1/2 (Weyl): it moves by the norm of what is added to the matrix. Where every
     * entry of W moves by a relative r, the entries of the product move by 2 r at most, and its norm is one.
     * LAPACK in fp64 adds less than that for every size here; reflections in fp32 add a rounding a token of the norm,
     * which is at most 2.
     */
    public static double eigenvalue(double softmax, int tokens) {
        return 2 * Math.expm1(softmax) + sum(tokens, 2);
    }

    /**
     * Of a metric, from {@link #softmax} of the worst row of a text. Metrics are sums in fp64: their error is that of
     * the rows. Sorting moves no value further than the worst.
     */
    public static double metric(Metric metric, double softmax, int tokens, double value) {
        return switch (metric) {
            case Metric.AttentionScore m -> softmax + formula(Math.abs(value));
            // A column's mean and a probability.
            case Metric.LaplacianEigenvalues m -> 2 * softmax + formula(1);
            case Metric.AttentionEigenvalues m -> 2 * softmax;
            case Metric.Entropy m -> entropy(softmax, Math.log(tokens));
            // Divided by log 2 at least.
            case Metric.NormalisedEntropy m -> entropy(softmax, Math.log(tokens)) / Math.log(2);
            case Metric.MeanDistance m -> (softmax + formula(1)) * tokens;
            case Metric.SinkShare m -> softmax;
            case Metric.PreviousToken m -> softmax;
            case Metric.SelfAttention m -> 2 * softmax;
            case Metric.Confidence m -> softmax;
            case Metric.Symmetric m -> eigenvalue(softmax, tokens);
        };
    }

    /** Of a number that is rounded to operands' type, relative: half the distance of 1 and the next. fp32's counts above. */
    public static double rounding(DType operands) {
        return switch (operands) {
            case BF16 -> 0x1p-8;
            case F16 -> 0x1p-11;
            default -> 0;
        };
    }

    /** Of a sum of so many terms in fp64, relative. */
    public static double fp64(int terms) {
        return (terms + FORMULA) * 0x1p-53;
    }

    /** Of an fp32 number that was rounded from fp64, and by which one more was multiplied. */
    public static double stored(double value) {
        return 2 * ROUNDING * Math.abs(value);
    }

    /** Of a number that is printed with four decimals; the last one may be rounded twice. */
    public static final double FOUR_DECIMALS = 6e-5;

    private Tolerance() {}
}
