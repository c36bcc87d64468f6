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
    void addTo(Tensor sum, Tensor x, Weights.FeedForward layer, Tensor scratch, LayerActivations in) {
        switch (layer) {
            case Weights.Dense dense -> {
                expand(x, dense, in);
                dense.down().addTo(backend, sum, activated(x.size(0), dense, in, in.kept), scratch);
            }
            case Weights.Mixture mixture -> {
                forward(scratch, x, mixture, in);
                backend.add(sum, scratch);
            }
        }
    }

    /** Both tensors are [rows, hidden]. */
    void forward(Tensor out, Tensor x, Weights.FeedForward layer, LayerActivations in) {
        switch (layer) {
            case Weights.Dense dense -> {
                expand(x, dense, in);
                dense.down().forward(backend, out, activated(x.size(0), dense, in, in.kept));
            }
            case Weights.Mixture mixture -> {
                // Every expert processes every token: simple, but slow for many experts.
                Tensor shares = shares(x, mixture);
                Tensor part = activations.part.rows(x.size(0));
                backend.scale(out, 0);
                for (int expert = 0; expert < mixture.experts().size(); expert++) {
                    forward(part, x, mixture.experts().get(expert), in);
                    backend.addShare(out, part, shares, expert);
                }
            }
        }
    }

    /** Whether {@link #backward} finds all that it needs where the forward pass has kept it. */
    static boolean isKept(Weights.FeedForward layer, LayerActivations in) {
        return in.kept && layer instanceof Weights.Dense;
    }

    /** Recomputes what {@link #backward} needs from the forward pass: everything except the output. */
    void recompute(Tensor x, Weights.FeedForward layer, LayerActivations in) {
        switch (layer) {
            case Weights.Dense dense -> expand(x, dense, in);
            case Weights.Mixture mixture -> shares(x, mixture);
        }
    }

    /** Recomputes the output for x, and preserves what {@link #backward} needs. */
    void recomputeOutput(Tensor out, Tensor x, Weights.FeedForward layer, LayerActivations in) {
        switch (layer) {
            case Weights.Dense dense -> dense.down().forward(backend, out, activated(out.size(0), dense, in, true));
            case Weights.Mixture mixture -> forward(out, x, mixture, in);
        }
    }

    /** Maps the gradient of the output to that of x. Requires {@link #recompute}, unless {@link #isKept}. */
    void backward(Tensor xGradient, Tensor gradient, Tensor x, Weights.FeedForward layer, LayerActivations in) {
        switch (layer) {
            case Weights.Dense dense -> backward(xGradient, gradient, dense, in);
            case Weights.Mixture mixture -> backward(xGradient, gradient, x, mixture, in);
        }
    }

    private void backward(
            Tensor xGradient, Tensor gradient, Tensor x, Weights.Mixture mixture, LayerActivations in) {
        Gradients gradients = backend.gradients();
        Tensor shares = activations.shares.rows(x.size(0));
        Tensor sharesGradient = adjoints.shares.rows(x.size(0));
        Tensor part = activations.part.rows(x.size(0));
        Tensor partGradient = adjoints.part.rows(x.size(0));
        backend.scale(xGradient, 0);
        for (int expert = 0; expert < mixture.experts().size(); expert++) {
            Weights.Dense dense = mixture.experts().get(expert);
            expand(x, dense, in);
            recomputeOutput(part, x, dense, in);
            gradients.addShare(part, sharesGradient, gradient, part, shares, expert);
            backward(partGradient, part, dense, in);
            backend.add(xGradient, partGradient);
        }
        gradients.route(sharesGradient, shares);
        mixture.router().backward(backend, partGradient, sharesGradient);
        backend.add(xGradient, partGradient);
    }

    private void backward(Tensor xGradient, Tensor gradient, Weights.Dense layer, LayerActivations in) {
        Gradients gradients = backend.gradients();
        Tensor up = in.up.rows(gradient.size(0));
        Tensor ofExpanded = adjoints.expanded.rows(gradient.size(0));
        layer.down().backward(backend, ofExpanded, gradient);
        Tensor ofUp = ofExpanded;
        if (layer.gated()) {
            ofUp = adjoints.up.rows(gradient.size(0));
            gradients.gate(ofUp, ofExpanded, up, activation);
        } else {
            gradients.activate(ofUp, up, activation);
        }
        layer.up().backward(backend, xGradient, ofUp);
    }

    /** Computes up x, if the layer is gated with gate x; without the activation. */
    private void expand(Tensor x, Weights.Dense layer, LayerActivations in) {
        layer.up().forward(backend, in.up.rows(x.size(0)), x);
    }

    /**
     * The input of the down projection.
     *
     * @param preserve whether up is needed afterwards; otherwise it may be overwritten
     */
    private Tensor activated(long rows, Weights.Dense layer, LayerActivations in, boolean preserve) {
        Tensor up = in.up.rows(rows);
        Tensor expanded = preserve || layer.gated() ? activations.expanded.rows(rows) : activations.expanded.inPlaceOf(up);
        if (layer.gated()) {
            backend.gate(expanded, up, activation);
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
}
