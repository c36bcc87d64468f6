package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A model's parameters on a backend, under one set of names for every family: maps and words of
 * {@link Backend#operands}, all else fp32.
 *
 * @param words     [vocabulary, hidden]
 * @param positions [maxTokens, hidden]
 * @param segment   [hidden], added to every token (BERT's first token type)
 * @param afterEmbedding norm of the embedded text
 * @param finalNorm before the head
 * @param head      what turns hidden states into logits
 */
record Weights(
        Tensor words, Optional<Tensor> positions, Optional<Tensor> segment, Optional<Norm> afterEmbedding,
        List<Layer> layers, Optional<Norm> finalNorm, Head head) {

    /** A linear map: weight [out, in], bias [out]. */
    record Linear(Tensor weight, Optional<Tensor> bias) {
        /** out [rows, out] of x [rows, in]. */
        void forward(Backend backend, Tensor out, Tensor x) {
            backend.linear(out, x, weight, bias);
        }

        /** From the gradient of the output to that of x. */
        void backward(Backend backend, Tensor xGradient, Tensor gradient) {
            backend.gradients().linear(xGradient, gradient, weight);
        }
    }

    /** Weight and bias [width]; a root-mean-square norm has no bias. */
    record Norm(Tensor weight, Optional<Tensor> bias, float epsilon) {
        /** May be in place. */
        void forward(Backend backend, Tensor out, Tensor x) {
            if (bias.isPresent()) {
                backend.layerNorm(out, x, weight, bias.get(), epsilon);
            } else {
                backend.rmsNorm(out, x, weight, epsilon);
            }
        }

        /** From the gradient of the output to that of x, perhaps in place. */
        void backward(Backend backend, Tensor xGradient, Tensor gradient, Tensor x) {
            if (bias.isPresent()) {
                backend.gradients().layerNorm(xGradient, gradient, x, weight, epsilon);
            } else {
                backend.gradients().rmsNorm(xGradient, gradient, x, weight, epsilon);
            }
        }
    }

    /**
     * One layer; where its norms stand is {@link ModelConfig.Placement}.
     *
     * @param beforeAttention normalises attention's input
     * @param queryNorm       normalises q, as keyNorm does k
     * @param afterAttention  normalises attention's output, or the sum with it
     * @param sinks           a score per query head that joins every softmax
     */
    record Layer(
            Optional<Norm> beforeAttention, Linear query, Linear key, Linear value, Optional<Norm> queryNorm,
            Optional<Norm> keyNorm, Optional<Tensor> sinks, Linear output, Optional<Norm> afterAttention,
            Optional<Norm> beforeFeedForward, FeedForward feedForward, Optional<Norm> afterFeedForward) {}

    sealed interface FeedForward {}

    /** down(f(up x)), or where there is a gate down(f(gate x) * up x). */
    record Dense(Optional<Linear> gate, Linear up, Linear down) implements FeedForward {}

    /** The chosen experts of each token, weighed by the softmax of their routing scores. */
    record Mixture(Linear router, List<Dense> experts, int chosen) implements FeedForward {}

    /** words(norm(f(transform x))), or without a transform words(x). */
    record Head(Optional<Linear> transform, Optional<Norm> norm, Linear words) {}
}
