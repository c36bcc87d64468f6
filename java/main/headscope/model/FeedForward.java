package headscope.model;

import headscope.backend.Activation;
import headscope.backend.Backend;
import headscope.backend.Gradients;
import headscope.tensor.Tensor;

/** The feed-forward part of a layer, without its norms. */
final class FeedForward {
    private final Activation activation;
    private final Backend backend;
    private final Activations activations;
    private final Adjoints adjoints;

    FeedForward(Activation activation, Backend backend, Activations activations, Adjoints adjoints) {
        this.activation = activation;
        this.backend = backend;
        this.activations = activations;
        this.adjoints = adjoints;
    }

    /** sum += the output for x; overwrites scratch. All tensors are [rows, hidden]. */
    void addTo(Tensor sum, Tensor x, Weights.FeedForward layer, Tensor scratch) {
        switch (layer) {
            case Weights.Dense dense -> {
                expand(x, dense);
                dense.down().addTo(backend, sum, activated(up(x), gate(x), dense), scratch);
            }
            case Weights.Mixture mixture -> {
                forward(scratch, x, mixture);
                backend.add(sum, scratch);
            }
        }
    }

    /** Both tensors are [rows, hidden]. */
    void forward(Tensor out, Tensor x, Weights.FeedForward layer) {
        switch (layer) {
            case Weights.Dense dense -> {
                expand(x, dense);
                dense.down().forward(backend, out, activated(up(x), gate(x), dense));
            }
            case Weights.Mixture mixture -> {
                // Every expert processes every token: simple, but slow for many experts.
                Tensor shares = shares(x, mixture);
                Tensor part = activations.part.rows(x.size(0));
                backend.scale(out, 0);
                for (int expert = 0; expert < mixture.experts().size(); expert++) {
                    forward(part, x, mixture.experts().get(expert));
                    backend.addShare(out, part, shares, expert);
                }
            }
        }
    }

    /** Recomputes what {@link #backward} needs from the forward pass: everything except the output. */
    void recompute(Tensor x, Weights.FeedForward layer) {
        switch (layer) {
            case Weights.Dense dense -> expand(x, dense);
            case Weights.Mixture mixture -> shares(x, mixture);
        }
    }

    /** Recomputes the output after {@link #recompute}, whose results are preserved. */
    void recomputeOutput(Tensor out, Tensor x, Weights.FeedForward layer) {
        switch (layer) {
            case Weights.Dense dense -> {
                Tensor up = adjoints.up.rows(x.size(0));
                Tensor gate = adjoints.gate.rows(x.size(0));
                backend.convert(up, up(x));
                dense.gate().ifPresent(linear -> backend.convert(gate, gate(x)));
                dense.down().forward(backend, out, activated(up, gate, dense));
            }
            case Weights.Mixture mixture -> forward(out, x, mixture);
        }
    }

    /** Maps the gradient of the output to that of x. Requires {@link #recompute}. */
    void backward(Tensor xGradient, Tensor gradient, Tensor x, Weights.FeedForward layer) {
        switch (layer) {
            case Weights.Dense dense -> backward(xGradient, gradient, dense);
            case Weights.Mixture mixture -> backward(xGradient, gradient, x, mixture);
        }
    }

    private void backward(Tensor xGradient, Tensor gradient, Tensor x, Weights.Mixture mixture) {
        Gradients gradients = backend.gradients();
        Tensor shares = activations.shares.rows(x.size(0));
        Tensor sharesGradient = adjoints.shares.rows(x.size(0));
        Tensor part = activations.part.rows(x.size(0));
        Tensor partGradient = adjoints.part.rows(x.size(0));
        backend.scale(xGradient, 0);
        for (int expert = 0; expert < mixture.experts().size(); expert++) {
            Weights.Dense dense = mixture.experts().get(expert);
            expand(x, dense);
            recomputeOutput(part, x, dense);
            gradients.addShare(part, sharesGradient, gradient, part, shares, expert);
            backward(partGradient, part, dense);
            backend.add(xGradient, partGradient);
        }
        gradients.route(sharesGradient, shares);
        mixture.router().backward(backend, partGradient, sharesGradient);
        backend.add(xGradient, partGradient);
    }

    private void backward(Tensor xGradient, Tensor gradient, Weights.Dense layer) {
        Gradients gradients = backend.gradients();
        Tensor upGradient = adjoints.up.rows(gradient.size(0));
        layer.down().backward(backend, upGradient, gradient);
        if (layer.gate().isPresent()) {
            Tensor gateGradient = adjoints.gate.rows(gradient.size(0));
            gradients.gate(gateGradient, upGradient, upGradient, gate(gradient), up(gradient), activation);
            layer.up().backward(backend, xGradient, upGradient);
            Tensor addend = adjoints.addend.rows(gradient.size(0));
            layer.gate().get().backward(backend, addend, gateGradient);
            backend.add(xGradient, addend);
        } else {
            gradients.activate(upGradient, up(gradient), activation);
            layer.up().backward(backend, xGradient, upGradient);
        }
    }

    /** Computes up x and, if the layer is gated, gate x; without the activation. */
    private void expand(Tensor x, Weights.Dense layer) {
        if (layer.gate().isEmpty()) {
            layer.up().forward(backend, up(x), x);
            return;
        }
        Tensor input = layer.up().input(backend, x, activations.input);
        layer.up().forward(backend, up(x), input);
        layer.gate().get().forward(backend, gate(x), input);
    }

    /** The input of the down projection. May overwrite up and gate. */
    private Tensor activated(Tensor up, Tensor gate, Weights.Dense layer) {
        Tensor expanded = activations.expanded.inPlaceOf(layer.gate().isPresent() ? gate : up);
        if (layer.gate().isPresent()) {
            backend.gate(expanded, gate, up, activation);
        } else {
            backend.activate(expanded, up, activation);
        }
        return expanded;
    }

    /** Routing weights [rows, experts]. */
    private Tensor shares(Tensor x, Weights.Mixture mixture) {
        Tensor shares = activations.shares.rows(x.size(0));
        mixture.router().forward(backend, shares, x);
        backend.route(shares, mixture.chosen());
        return shares;
    }

    private Tensor up(Tensor x) {
        return activations.up.rows(x.size(0));
    }

    private Tensor gate(Tensor x) {
        return activations.gate.rows(x.size(0));
    }
}
