package headscope.backend;

import headscope.tensor.Tensor;
import java.util.Optional;

/**
 * What the operations of {@link Backend} pass back, each under the name of the operation that it mirrors: from the
 * gradient of a scalar with respect to an output, the gradient with respect to an input. Destination first; fp32;
 * overwritten, not added to, unless said. Arguments are checked by {@link CheckedGradients}, once.
 */
public interface Gradients {
    /** destination [rows, in] = gradient [rows, out] weight; weight [out, in], of {@link Backend#operands}. */
    void linear(Tensor destination, Tensor gradient, Tensor weight);

    /** destination [out, in] = gradient' x: with respect to the weight; gradient [rows, out], x [rows, in]. */
    void linearWeight(Tensor destination, Tensor gradient, Tensor x);

    /** destination [out] = sum of the rows of gradient [rows, out]: with respect to the bias. */
    void linearBias(Tensor destination, Tensor gradient);

    /** With respect to x, which was normalised. May be in place of gradient. */
    void layerNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon);

    /** As {@link #layerNorm}, over groups of weight's width. */
    void rmsNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon);

    /** In place: turned by minus the angle, and multiplied with the magnitude that the tables hold. */
    void rotate(Tensor gradient, int headDim, Tensor cosine, Tensor sine);

    /** gradient *= f'(x). */
    void activate(Tensor gradient, Tensor x, Activation f);

    /**
     * Of f(gate) * up.
     *
     * @param gateGradient may be gradient, as may upGradient, but not both
     * @param gate         as it was before, as up
     */
    void gate(Tensor gateGradient, Tensor upGradient, Tensor gradient, Tensor gate, Tensor up, Activation f);

    /** gradient *= 1 - (capped / cap)^2; capped is what the operation gave. */
    void softCap(Tensor gradient, Tensor capped, float cap);

    /** In place, from shares to logits: g_e = s_e (g_e - sum_e' s_e' g_e'); shares [tokens, experts] as given. */
    void route(Tensor gradient, Tensor shares);

    /**
     * Of x += share * y: yGradient = share * gradient, and column of shareGradient [tokens, experts] = gradient . y of
     * each row. x itself gets the gradient as it stands. yGradient may be y.
     */
    void addShare(Tensor yGradient, Tensor shareGradient, Tensor gradient, Tensor y, Tensor shares, int column);

    /** destination [table's rows, width] = 0, but row ids[i] = row i of gradient; ids differ from each other. */
    void embed(Tensor destination, Tensor gradient, int[] ids);

    /** destination [heads] = sum over rows and a head's elements of gradient * x: with respect to the factors. */
    void scaleHeads(Tensor destination, Tensor gradient, Tensor x);

    /**
     * With p_ij the probabilities, g_i the gradient of the output of row i and o_i that output (Dao et al. 2022):
     * dL/dp_ij = g_i . v_j, dL/ds_ij = p_ij (g_i . v_j - g_i . o_i), through cap and scale to q and k. Key heads
     * gather from all the query heads that read them, in order: equal bits every time. Nothing T x T is kept.
     *
     * @param qGradient [queries, heads * headDim], as gradient, out and q
     * @param kGradient [keys, kvHeads * headDim], as vGradient, k and v; k and v of {@link Backend#operands}
     * @param logSumExp [heads, queries], as {@link Backend#attention(Tensor, Tensor, Tensor, Tensor, Tensor,
     *                  AttentionSpec)} gave it
     * @param saliency  of the same heads and tokens, queries = keys; every element is written
     */
    void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, AttentionSpec spec, Optional<AttentionSaliency> saliency);

    /**
     * In place: each row of logits [rows, words] becomes factors[row] * (softmax - one-hot of targets[row]).
     *
     * @return - log softmax at the target, nats, of each row
     */
    float[] crossEntropy(Tensor logits, int[] targets, float[] factors);

    /**
     * One step of AdamW (Loshchilov and Hutter 2019): parameter -= rate * (decay * parameter + m^ / (sqrt v^ +
     * epsilon)), with m and v the running means of gradient and its square, corrected for their start at 0.
     *
     * @param step from 1 on
     */
    void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step);

    /** The constants of {@link #adamW}. */
    record AdamW(float rate, float beta1, float beta2, float epsilon, float decay) {}
}
