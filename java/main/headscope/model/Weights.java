package headscope.model;

import headscope.backend.Backend;
import headscope.backend.HeadTransform;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A model's parameters on a backend, under the same names for all families. Matrix weights and embeddings have the
 * element type {@link Backend#weights}, all others fp32.
 *
 * @param embedding      [vocabulary, hidden]
 * @param positions      [maxTokens, hidden]
 * @param segment        [hidden], added to every token (BERT's first token type)
 * @param afterEmbedding norm of the embedded text
 * @param finalNorm      norm before the head
 * @param head           maps hidden states to logits
 */
record Weights(
        Tensor embedding, Optional<Tensor> positions, Optional<Tensor> segment, Optional<Norm> afterEmbedding,
        List<Layer> layers, Optional<Norm> finalNorm, Head head) {

    /** A linear map: weight [out, in], bias [out]. */
    record Linear(Tensor weight, Optional<Tensor> bias) {
        /** out [rows, out] of x [rows, in]. */
        void forward(Backend backend, Tensor out, Tensor x) {
            backend.linear(out, x, weight, bias);
        }

        /** sum [rows, out] += the map of x [rows, in]; overwrites scratch, of sum's shape. */
        void addTo(Backend backend, Tensor sum, Tensor x, Tensor scratch) {
            backend.linearAdd(sum, x, weight, bias, scratch);
        }

        /** Maps the gradient of the output to that of x. */
        void backward(Backend backend, Tensor xGradient, Tensor gradient) {
            backend.gradients().linear(xGradient, gradient, weight);
        }
    }

    /** Weight and bias [width]; a root-mean-square norm has no bias. */
    record Norm(Tensor weight, Optional<Tensor> bias, float epsilon) {
        /** out may be x, or of {@link Backend#operands}. */
        void forward(Backend backend, Tensor out, Tensor x) {
            if (bias.isPresent()) {
                backend.layerNorm(out, x, weight, bias.get(), epsilon);
            } else {
                backend.rmsNorm(out, x, weight, epsilon);
            }
        }

        /** The norm of x [rows, width] in the type in which products read it. */
        Tensor input(Backend backend, GrowableTensor to, Tensor x) {
            Tensor out = to.rows(x.size(0));
            forward(backend, out, x);
            return out;
        }

        /** Maps the gradient of the output to that of x; xGradient may be gradient. */
        void backward(Backend backend, Tensor xGradient, Tensor gradient, Tensor x) {
            if (bias.isPresent()) {
                backend.gradients().layerNorm(xGradient, gradient, x, weight, epsilon);
            } else {
                backend.gradients().rmsNorm(xGradient, gradient, x, weight, epsilon);
            }
        }
    }

    /**
     * One layer. {@link ModelConfig.Placement} determines which norms it has.
     *
     * @param beforeAttention norm of attention's input
     * @param queryKeyValue   to q, k and v, one after the other
     * @param headNorm        norm of q and of k
     * @param afterAttention  norm of attention's output, or of its sum with the residual stream
     * @param sinks           [heads], a score that joins every softmax of the head
     */
    record Layer(
            Optional<Norm> beforeAttention, Linear queryKeyValue, Optional<HeadTransform.Norm> headNorm, Optional<Tensor> sinks,
            Linear output, Optional<Norm> afterAttention, Optional<Norm> beforeFeedForward, FeedForward feedForward,
            Optional<Norm> afterFeedForward) {}

    sealed interface FeedForward {}

    /**
     * down(f(up x)), or if gated down(f(gate x) * up x).
     *
     * @param up to [width], or if gated to gate and up [2 * width]
     */
    record Dense(boolean gated, Linear up, Linear down) implements FeedForward {}

    /**
     * Sum of the chosen experts' outputs, weighted by the softmax of their routing scores.
     *
     * @param chosen experts per token
     */
    record Mixture(Linear router, List<Dense> experts, int chosen) implements FeedForward {}

    /** projection(norm(f(transform x))), or without a transform projection(x). */
    record Head(Optional<Linear> transform, Optional<Norm> norm, Linear projection) {}
}
