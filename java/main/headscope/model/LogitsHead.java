package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Tensor;

/** Maps the output of the last layer to logits. */
final class LogitsHead {
    private final ModelConfig config;
    private final Weights weights;
    private final Backend backend;
    private final Activations activations;
    private final Adjoints adjoints;

    LogitsHead(ModelConfig config, Weights weights, Backend backend, Activations activations, Adjoints adjoints) {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        this.activations = activations;
        this.adjoints = adjoints;
    }

    /** logits [rows, vocabulary], hidden [rows, hidden]. */
    void forward(Tensor logits, Tensor hidden) {
        Tensor input = weights.finalNorm().map(norm -> norm.input(backend, activations.input, hidden)).orElse(hidden);
        Weights.Head head = weights.head();
        if (head.transform().isPresent()) {
            Tensor transformed = activations.transformed.rows(hidden.size(0));
            head.transform().get().forward(backend, transformed, input);
            backend.activate(transformed, transformed, config.feedForward().activation());
            head.norm().ifPresent(norm -> norm.forward(backend, transformed, transformed));
            input = transformed;
        }
        head.projection().forward(backend, logits, input);
        if (config.vocabulary().softCap() > 0) {
            backend.softCap(logits, config.vocabulary().softCap());
        }
    }

    /**
     * Maps the gradient of the logits, which is overwritten, to that of hidden. Ignores the transform: no causal model
     * has one.
     */
    void backward(Tensor hiddenGradient, Tensor gradient, Tensor hidden) {
        if (config.vocabulary().softCap() > 0) {
            Tensor capped = adjoints.logits.rows(hidden.size(0));
            forward(capped, hidden);
            backend.gradients().softCap(gradient, capped, config.vocabulary().softCap());
        }
        weights.head().projection().backward(backend, hiddenGradient, gradient);
        weights.finalNorm().ifPresent(norm -> norm.backward(backend, hiddenGradient, hiddenGradient, hidden));
    }
}
