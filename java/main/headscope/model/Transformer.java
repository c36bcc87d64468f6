package headscope.model;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.model.ModelConfig.Placement;
import headscope.tensor.Buffer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Every supported family, driven by {@link ModelConfig}. Not for several threads at once. */
public final class Transformer implements AutoCloseable {
    private final ModelConfig config;
    private final Backend backend;
    private final List<Buffer> weightBuffers = new ArrayList<>();
    private final Weights weights;
    private final RopeTables ropes;
    private final Activations activations;

    /** Uploads the weights. The checkpoint may be closed afterwards. */
    public Transformer(Checkpoint checkpoint, Backend backend) {
        this.config = checkpoint.config();
        this.backend = backend;
        try {
            this.weights = WeightReader.read(checkpoint, backend, weightBuffers);
        } catch (Throwable failure) {
            weightBuffers.forEach(Buffer::close);
            throw failure;
        }
        this.ropes = new RopeTables(backend);
        this.activations = new Activations(config, backend);
    }

    public ModelConfig config() {
        return config;
    }

    public Backend backend() {
        return backend;
    }

    /** An empty text of at most so many tokens. */
    public Sequence sequence(int capacity) {
        return new Sequence(config, backend, capacity, true);
    }

    /** As {@link #sequence}, without statistics; no hook is called for it. */
    public Sequence unobserved(int capacity) {
        return new Sequence(config, backend, capacity, false);
    }

    /**
     * Appends tokens to a text.
     *
     * @return the last layer's output [ids.length, hidden], for {@link #logits}; good until the next call
     */
    public Tensor forward(Sequence text, int[] ids, LayerHook hook) {
        int first = text.tokens();
        int count = ids.length;
        int end = first + count;
        requireRoom(text, count);
        activations.resize(count);
        Tensor x = activations.residual();
        Tensor q = activations.query();
        Tensor heads = activations.heads();
        Tensor branch = activations.branch();

        backend.embed(x, weights.words(), ids);
        if (config.embeddingScale() != 1) {
            backend.scale(x, config.embeddingScale());
        }
        weights.positions().ifPresent(positions -> backend.add(x, positions.rows(first, count)));
        weights.segment().ifPresent(segment -> backend.addRow(x, segment));
        weights.afterEmbedding().ifPresent(norm -> normalise(x, x, norm));

        for (int i = 0; i < config.layers(); i++) {
            Weights.Layer layer = weights.layers().get(i);
            Tensor keys = text.keys(i);
            Tensor values = text.values(i);
            Tensor k = keys.rows(first, count);
            AttentionSpec spec = attentionSpec(i);

            // attention
            Tensor input = normalised(x, layer.beforeAttention());
            linear(q, input, layer.query());
            linear(k, input, layer.key());
            linear(values.rows(first, count), input, layer.value());
            layer.queryNorm().ifPresent(norm -> normalise(q, q, norm));
            layer.keyNorm().ifPresent(norm -> normalise(k, k, norm));
            config.ropes().get(i).ifPresent(rope -> {
                RopeTables.Angles angles = ropes.angles(rope, first, count);
                backend.rotate(q, config.headDim(), angles.cosine(), angles.sine());
                backend.rotate(k, config.headDim(), angles.cosine(), angles.sine());
            });
            backend.attention(heads, q, keys.rows(0, end), values.rows(0, end), spec, text.observed(i));
            int observed = i;
            text.observed(i).ifPresent(
                    statistics -> hook.attention(observed, spec, q, keys.rows(0, end), statistics));
            linear(branch, heads, layer.output());

            // feed-forward
            if (config.placement() == Placement.PARALLEL) {
                Tensor beside = normalised(x, layer.beforeFeedForward());
                backend.add(x, branch);
                feedForward(branch, beside, layer.feedForward());
                backend.add(x, branch);
            } else {
                addToResidual(x, branch, layer.afterAttention());
                feedForward(branch, normalised(x, layer.beforeFeedForward()), layer.feedForward());
                addToResidual(x, branch, layer.afterFeedForward());
            }
        }
        text.grow(count);
        return x;
    }

    /** hidden [tokens, hidden] -> logits [tokens, vocabulary]; good until the next call. */
    public Tensor logits(Tensor hidden) {
        Tensor input = weights.finalNorm().isPresent() ? normalised(hidden, weights.finalNorm()) : hidden;
        Weights.Head head = weights.head();
        if (head.transform().isPresent()) {
            Tensor transformed = activations.branch().rows(0, hidden.size(0));
            linear(transformed, input, head.transform().get());
            backend.activate(transformed, config.activation());
            head.norm().ifPresent(norm -> normalise(transformed, transformed, norm));
            input = transformed;
        }
        Tensor logits = activations.logits(hidden.intSize(0));
        linear(logits, input, head.words());
        if (config.finalSoftCap() > 0) {
            backend.softCap(logits, config.finalSoftCap());
        }
        return logits;
    }

    /** What a layer's attention is like. */
    public AttentionSpec attentionSpec(int layer) {
        float scale = config.scaleByLayer() ? config.scale() / (layer + 1) : config.scale();
        return new AttentionSpec(
                config.heads(), config.kvHeads(), config.headDim(), scale, config.causal(),
                config.windows().get(layer), config.softCap(), weights.layers().get(layer).sinks());
    }

    private void requireRoom(Sequence text, int count) {
        int end = text.tokens() + count;
        if (end > config.maxTokens() || end > text.capacity()) {
            throw new IllegalArgumentException("%d tokens; the model takes at most %d, this text at most %d"
                    .formatted(end, config.maxTokens(), text.capacity()));
        }
        if (!config.causal() && text.tokens() > 0) {
            throw new IllegalArgumentException("a bidirectional model takes a text whole");
        }
    }

    private void addToResidual(Tensor x, Tensor branch, Optional<Weights.Norm> norm) {
        boolean onSum = config.placement() == Placement.ON_SUM;
        if (!onSum) {
            norm.ifPresent(after -> normalise(branch, branch, after));
        }
        backend.add(x, branch);
        if (onSum) {
            norm.ifPresent(after -> normalise(x, x, after));
        }
    }

    private void feedForward(Tensor out, Tensor x, Weights.FeedForward layer) {
        switch (layer) {
            case Weights.Dense dense -> dense(out, x, dense);
            case Weights.Mixture mixture -> {
                // Every expert sees every token: simple, and slow where experts are many.
                Tensor shares = activations.shares();
                Tensor part = activations.part();
                linear(shares, x, mixture.router());
                backend.route(shares, mixture.chosen());
                backend.scale(out, 0);
                for (int expert = 0; expert < mixture.experts().size(); expert++) {
                    dense(part, x, mixture.experts().get(expert));
                    backend.addShare(out, part, shares, expert);
                }
            }
        }
    }

    private void dense(Tensor out, Tensor x, Weights.Dense layer) {
        Tensor up = activations.up();
        linear(up, x, layer.up());
        if (layer.gate().isPresent()) {
            Tensor gate = activations.gate();
            linear(gate, x, layer.gate().get());
            backend.gate(gate, up, config.activation());
            linear(out, gate, layer.down());
        } else {
            backend.activate(up, config.activation());
            linear(out, up, layer.down());
        }
    }

    private void linear(Tensor out, Tensor x, Weights.Linear map) {
        backend.linear(out, x, map.weight(), map.bias());
    }

    /** x itself where there is no norm. */
    private Tensor normalised(Tensor x, Optional<Weights.Norm> norm) {
        if (norm.isEmpty()) {
            return x;
        }
        Tensor out = activations.normalised().rows(0, x.size(0));
        normalise(out, x, norm.get());
        return out;
    }

    private void normalise(Tensor out, Tensor x, Weights.Norm norm) {
        if (norm.bias().isPresent()) {
            backend.layerNorm(out, x, norm.weight(), norm.bias().get(), config.normEpsilon());
        } else {
            backend.rmsNorm(out, x, norm.weight(), config.normEpsilon());
        }
    }

    @Override
    public void close() {
        activations.close();
        ropes.close();
        weightBuffers.forEach(Buffer::close);
    }
}
