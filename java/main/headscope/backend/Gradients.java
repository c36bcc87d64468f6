package headscope.backend;

import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Gradients of the operations of {@link Backend}, under the same names. From the gradient of a scalar loss L with
 * respect to an operation's output, each computes the gradient with respect to one or all of its inputs.
 *
 * <p>The conventions of {@link Backend} apply: destination first, fp32, destinations are overwritten and not added to.
 * Methods without a destination work in place, on {@code gradient}.
 */
public interface Gradients {
    /**
     * With respect to x: destination [rows, in] = gradient [rows, out] weight; weight [out, in] of the weights' type.
     */
    void linear(Tensor destination, Tensor gradient, Tensor weight);

    /** With respect to the weight: destination [out, in] = gradient' x; gradient [rows, out], x [rows, in]. */
    void linearWeight(Tensor destination, Tensor gradient, Tensor x);

    /** With respect to the bias: destination [out] = sum of the rows of gradient [rows, out]. */
    void linearBias(Tensor destination, Tensor gradient);

    /** With respect to x [rows, width], the operation's input. The destination may be the gradient itself. */
    void layerNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon);

    /** Like {@link #layerNorm}, for x [rows, groups * width] and weight [width]. */
    void rmsNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon);

    /**
     * With respect to the joined projections.
     *
     * @param joinedGradient as joined
     * @param gradients      [rows, heads * headDim] and [rows, kvHeads * headDim]
     */
    void splitHeads(Tensor joinedGradient, Projections gradients, Tensor joined, HeadTransform transform);

    /** gradient *= f'(x), with x as it was before the operation. */
    void activate(Tensor gradient, Tensor x, Activation f);

    /**
     * With respect to both inputs of f(gate) * up.
     *
     * @param gateUpGradient [rows, 2 * width], as gateUp
     * @param gradient       [rows, width]
     */
    void gate(Tensor gateUpGradient, Tensor gradient, Tensor gateUp, Activation f);

    /** gradient *= 1 - (capped / cap)^2; capped is the operation's output. */
    void softCap(Tensor gradient, Tensor capped, float cap);

    /**
     * In place, with respect to the logits: g_e = s_e (g_e - sum_k s_k g_k); shares s [tokens, experts] are the output.
     */
    void route(Tensor gradient, Tensor shares);

    /**
     * With respect to y and the shares: row i of yGradient = shares[i, column] * row i of gradient, and
     * shareGradient[i, column] = gradient . y of row i. The gradient with respect to x is the gradient itself.
     *
     * @param yGradient     [tokens, width], may be y itself
     * @param shareGradient [tokens, experts]; other columns are unchanged
     */
    void addShare(Tensor yGradient, Tensor shareGradient, Tensor gradient, Tensor y, Tensor shares, int column);

    /**
     * With respect to the table: destination [words, width] = 0 except for rows ids[i] = row i of gradient; ids are
     * distinct.
     */
    void embed(Tensor destination, Tensor gradient, int[] ids);

    /**
     * With respect to the factors: destination [ranges, heads] = sum of gradient * x over the rows of a range and the
     * elements of a head; 0 for an empty range.
     */
    void scaleHeads(Tensor destination, Tensor gradient, Tensor x, RowRanges ranges);

    /**
     * With respect to queries, keys and values. With probabilities p_ij, outputs o_i and their gradients g_i (Dao et
     * al. 2022, arXiv:2205.14135): dL/dp_ij = g_i . v_j and dL/ds_ij = p_ij (g_i . v_j - g_i . o_i), then through soft
     * cap and scale. No tokens x tokens matrix is stored. Gradients of a key head are summed over its query heads in a
     * fixed order.
     *
     * @param qGradient [queries, heads * headDim], as gradient, out and q
     * @param kGradient [keys, kvHeads * headDim], as vGradient, k and v; k and v of the operands' type
     * @param logSumExp [heads * queries], from {@link Backend#attention(Tensor, Tensor, Tensor, Tensor, Tensor,
     *                  Packing, AttentionSpec)}
     * @param saliency  for each text, or empty for none: if present, every element is written; requires whole texts
     */
    void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            List<Optional<AttentionSaliency>> saliency);

    /**
     * Cross entropy of each row and its gradient, in place: row i of logits [rows, words] becomes factors[i] * (softmax
     * - one-hot of targets[i]).
     *
     * @return [rows], - log softmax at the target, in nats
     */
    float[] crossEntropy(Tensor logits, int[] targets, float[] factors);

    /**
     * One step of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101): parameter -= rate * (decay * parameter + m' /
     * (sqrt(v') + epsilon)), where m and v are the running means of the gradient and of its square, and m' and v' are
     * corrected for their initial value 0.
     *
     * @param step counted from 1
     */
    void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step);

    /** Hyperparameters of {@link #adamW}. */
    record AdamW(float rate, float beta1, float beta2, float epsilon, float decay) {}
}
