package headscope.model;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Packing;
import headscope.backend.SplitOnOutOfMemory;
import headscope.model.ModelConfig.Placement;
import headscope.tensor.Buffer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A transformer of any supported family, driven by {@link ModelConfig}. Not thread-safe. */
public final class Transformer implements AutoCloseable {
    private final ModelConfig config;
    private final Backend backend;
    private final List<Buffer> weightBuffers = new ArrayList<>();
    private final Weights weights;
    private final RopeTables ropes;
    private final Workspace workspace;
    private final Activations activations;
    private final Adjoints adjoints;
    private final SelfAttention attention;
    private final FeedForward feedForward;
    private final LogitsHead head;

    /** Uploads the weights. The checkpoint can be closed afterwards. */
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
        this.workspace = new Workspace(backend);
        this.activations = new Activations(config, workspace);
        this.adjoints = new Adjoints(config, workspace);
        this.attention = new SelfAttention(config, weights, backend, ropes, activations, adjoints);
        this.feedForward = new FeedForward(config.feedForward().activation(), backend, activations, adjoints);
        this.head = new LogitsHead(config, weights, backend, activations, adjoints);
    }

    public ModelConfig config() {
        return config;
    }

    public Backend backend() {
        return backend;
    }

    /** An empty sequence of at most capacity tokens, with attention statistics. */
    public Sequence sequence(int capacity) {
        return sequence(capacity, Optional.empty(), false);
    }

    /**
     * Like {@link #sequence(int)}, for a viewer.
     *
     * @param atlas       collects pooled maps of every layer
     * @param keepQueries whether the queries of all tokens are kept, for {@link #attentionMap}
     */
    public Sequence sequence(int capacity, Optional<AtlasSpec> atlas, boolean keepQueries) {
        return new Sequence(config, backend, capacity, new Sequence.Collected(true, atlas, keepQueries));
    }

    /** Like {@link #sequence(int)}, without statistics: {@link LayerHook#attention} is not called. */
    public Sequence sequenceWithoutStatistics(int capacity) {
        return new Sequence(config, backend, capacity, new Sequence.Collected(false, Optional.empty(), false));
    }

    /**
     * Appends tokens to a sequence.
     *
     * @return output of the last layer [ids.length, hidden], for {@link #logits}; valid until the next call
     */
    public Tensor forward(Sequence sequence, int[] ids, LayerHook hook) {
        int count = ids.length;
        int end = sequence.tokens() + count;
        requireCapacity(sequence, count);
        List<Span> spans = List.of(new Span(0, sequence.tokens(), count));
        Tensor x = activations.residual.rows(count);
        embed(x, ids, spans);
        for (int i = 0; i < config.layers(); i++) {
            Weights.Layer layer = weights.layers().get(i);
            SelfAttention.Projections now = attention.project(i, normalised(x, layer.beforeAttention()), spans);
            sequence.append(i, now);
            Tensor heads = activations.heads.rows(count);
            attend(heads, i, now.q(), sequence, end, hook);
            hook.headOutputs(i, heads);
            addBranches(x, heads, layer);
        }
        sequence.grow(count);
        return x;
    }

    private void attend(Tensor heads, int layer, Tensor q, Sequence sequence, int end, LayerHook hook) {
        AttentionSpec spec = attentionSpec(layer);
        Tensor k = sequence.keys(layer, end);
        Packing packing = Packing.of(q.intSize(0), end);
        backend.attention(
                heads, q, k, sequence.values(layer, end), packing, spec, sequence.findStatistics(layer));
        sequence.findStatistics(layer).ifPresent(statistics ->
                hook.attention(layer, new LayerHook.Attention(spec, q, k, packing, statistics)));
    }

    /**
     * destination [rows, keys] = the attention probabilities of one head in consecutive rows of a sequence that keeps
     * queries. A long map is computed in blocks of rows.
     *
     * @param destination keys = firstRow + rows; a bidirectional model needs all rows at once
     * @throws IllegalStateException if the sequence does not keep queries
     */
    public void attentionMap(Tensor destination, Sequence sequence, int layer, int head, int firstRow) {
        int rows = destination.intSize(0);
        if (firstRow < 0 || rows < 1 || firstRow + rows > sequence.tokens()) {
            throw new IllegalArgumentException("rows %d to %d of the maps of %d tokens"
                    .formatted(firstRow, firstRow + rows - 1, sequence.tokens()));
        }
        backend.attentionMap(destination, sequence.queries(layer, firstRow, rows),
                sequence.keys(layer, firstRow + rows), attentionSpec(layer), head);
    }

    /** logits [tokens, vocabulary] of hidden [tokens, hidden]; valid until the next call. */
    public Tensor logits(Tensor hidden) {
        Tensor logits = activations.logits.rows(hidden.size(0));
        head.forward(logits, hidden);
        return logits;
    }

    /**
     * Processes whole texts. Each text attends only to itself.
     *
     * @param gates factors on head outputs, one set per text
     * @return input of {@link #logits(Tape, int[])} and {@link #backward}; the caller closes it
     */
    public Tape forward(Batch batch, Optional<HeadGates> gates, LayerHook hook) {
        requireCapacity(batch, gates);
        List<Span> spans = batch.spans();
        Tape tape = new Tape(config, backend, batch, gates);
        try {
            embed(tape.residual(0), batch.ids(), spans);
            for (int i = 0; i < config.layers(); i++) {
                Weights.Layer layer = weights.layers().get(i);
                Tensor x = tape.residual(i + 1);
                backend.convert(x, tape.residual(i));
                Tensor heads = attention.attend(i, project(i, x, spans), spans);
                hook.headOutputs(i, heads);
                addBranches(x, attention.gate(i, heads, spans, gates), layer);
            }
            return tape;
        } catch (Throwable failure) {
            tape.close();
            throw failure;
        }
    }

    /** Runs passes over many texts: all at once or, if out of memory, half of them at a time. */
    public void splitOnOutOfMemory(int texts, SplitOnOutOfMemory.Work passes) {
        SplitOnOutOfMemory.run(texts, (first, count) -> {
            try {
                passes.run(first, count);
            } catch (DeviceMemoryException full) {
                workspace.clear();
                throw full;
            }
        });
    }

    /**
     * Logits of some rows.
     *
     * @param rows of the batch, without repetition
     * @return [rows.length, vocabulary]; valid until the next call
     */
    public Tensor logits(Tape tape, int[] rows) {
        return logits(picked(tape, rows));
    }

    /**
     * Propagates the gradient of a scalar back to the head outputs of the first layer; the hook observes it in each
     * layer. Activations are recomputed from the tape, which keeps only the input of each layer.
     *
     * @param rows           of the batch, without repetition
     * @param logitsGradient with respect to {@link #logits(Tape, int[])} of these rows; overwritten
     * @throws IllegalArgumentException if the model is bidirectional
     */
    public void backward(Tape tape, int[] rows, Tensor logitsGradient, GradientHook hook) {
        requireCausal();
        Tensor pickedGradient = adjoints.picked.rows(rows.length);
        head.backward(pickedGradient, logitsGradient, picked(tape, rows));
        Tensor gradient = adjoints.residual.rows(tape.batch().rows());
        backend.gradients().embed(gradient, pickedGradient, rows);
        for (int i = config.layers() - 1; i >= 0; i--) {
            backward(i, tape, gradient, hook);
        }
    }

    /** Replaces the gradient of a layer's output by that of its input. In the first layer, the gradient stops at the head outputs. */
    private void backward(int i, Tape tape, Tensor gradient, GradientHook hook) {
        Weights.Layer layer = weights.layers().get(i);
        List<Span> spans = tape.batch().spans();
        Tensor before = tape.residual(i);
        SelfAttention.Projections projections = project(i, before, spans);
        Tensor heads = attention.attend(i, projections, spans);

        Tensor headsGradient = adjoints.heads.rows(gradient.size(0));
        if (config.norms().placement() == Placement.PARALLEL) {
            layer.output().backward(backend, headsGradient, gradient);
            if (i > 0) {
                feedForwardBackward(gradient, before, layer);
            }
        } else {
            Tensor branch = activations.attended.rows(gradient.size(0));
            layer.output().forward(backend, branch, attention.gate(i, heads, spans, tape.gates()));
            Tensor between = activations.residual.rows(gradient.size(0));
            backend.convert(between, before);
            addToResidual(between, branch, layer.afterAttention());
            feedForwardBackward(gradient, between, layer);
            layer.output().backward(backend, headsGradient, normBackward(gradient, branch, layer.afterAttention()));
        }

        attention.gateBackward(i, headsGradient, heads, spans, tape.gates(), hook);
        SelfAttention.Projections gradients =
                attention.attendBackward(i, headsGradient, heads, projections, spans, hook, i > 0);
        if (i > 0) {
            Tensor inputGradient = adjoints.input.rows(gradient.size(0));
            attention.projectBackward(i, inputGradient, gradients, spans);
            addBackward(gradient, inputGradient, before, layer.beforeAttention());
        }
    }

    /** Replaces the gradient of a layer's output by that of x, the residual stream before the feed-forward part. */
    private void feedForwardBackward(Tensor gradient, Tensor x, Weights.Layer layer) {
        Tensor input = normalised(x, layer.beforeFeedForward());
        Tensor branch = activations.branch.rows(x.size(0));
        feedForward.recompute(input, layer.feedForward());
        if (layer.afterFeedForward().isPresent()) {
            feedForward.recomputeOutput(branch, input, layer.feedForward());
        }
        Tensor inputGradient = adjoints.input.rows(x.size(0));
        feedForward.backward(
                inputGradient, normBackward(gradient, branch, layer.afterFeedForward()), input, layer.feedForward());
        addBackward(gradient, inputGradient, x, layer.beforeFeedForward());
    }

    private void embed(Tensor x, int[] ids, List<Span> spans) {
        backend.embed(x, weights.embedding(), ids);
        if (config.vocabulary().embeddingScale() != 1) {
            backend.scale(x, config.vocabulary().embeddingScale());
        }
        weights.positions().ifPresent(positions -> spans.forEach(span -> backend.add(
                x.rows(span.first(), span.count()), positions.rows(span.position(), span.count()))));
        weights.segment().ifPresent(segment -> backend.addRow(x, segment));
        weights.afterEmbedding().ifPresent(norm -> norm.forward(backend, x, x));
    }

    private SelfAttention.Projections project(int layer, Tensor x, List<Span> spans) {
        Tensor input = normalised(x, weights.layers().get(layer).beforeAttention());
        return attention.operands(attention.project(layer, input, spans));
    }

    /** Adds the output projection of heads [rows, heads * headDim] and the feed-forward part to x. */
    private void addBranches(Tensor x, Tensor heads, Weights.Layer layer) {
        Tensor branch = activations.branch.rows(x.size(0));
        layer.output().forward(backend, branch, heads);
        if (config.norms().placement() == Placement.PARALLEL) {
            Tensor feedForwardInput = normalised(x, layer.beforeFeedForward());
            backend.add(x, branch);
            feedForward.forward(branch, feedForwardInput, layer.feedForward());
            backend.add(x, branch);
        } else {
            addToResidual(x, branch, layer.afterAttention());
            feedForward.forward(branch, normalised(x, layer.beforeFeedForward()), layer.feedForward());
            addToResidual(x, branch, layer.afterFeedForward());
        }
    }

    private void addToResidual(Tensor x, Tensor branch, Optional<Weights.Norm> norm) {
        if (config.norms().placement() == Placement.ON_SUM) {
            backend.add(x, branch);
            norm.ifPresent(after -> after.forward(backend, x, x));
        } else {
            backend.add(x, normalised(branch, norm));
        }
    }

    /** x itself if there is no norm. */
    private Tensor normalised(Tensor x, Optional<Weights.Norm> norm) {
        if (norm.isEmpty()) {
            return x;
        }
        Tensor out = activations.normalised.rows(x.size(0));
        norm.get().forward(backend, out, x);
        return out;
    }

    /** The gradient itself if there is no norm. */
    private Tensor normBackward(Tensor gradient, Tensor x, Optional<Weights.Norm> norm) {
        if (norm.isEmpty()) {
            return gradient;
        }
        Tensor out = adjoints.branch.rows(x.size(0));
        norm.get().backward(backend, out, gradient, x);
        return out;
    }

    /** Adds to gradient the gradient of a branch's input, propagated through the norm of x. */
    private void addBackward(Tensor gradient, Tensor inputGradient, Tensor x, Optional<Weights.Norm> norm) {
        norm.ifPresent(before -> before.backward(backend, inputGradient, inputGradient, x));
        backend.add(gradient, inputGradient);
    }

    private Tensor picked(Tape tape, int[] rows) {
        Tensor picked = activations.picked.rows(rows.length);
        backend.embed(picked, tape.hidden(), rows);
        return picked;
    }

    /** Shape, scale and mask of a layer's attention. */
    public AttentionSpec attentionSpec(int layer) {
        return attention.spec(layer);
    }

    private void requireCapacity(Sequence sequence, int count) {
        int end = sequence.tokens() + count;
        if (end > config.maxTokens() || end > sequence.capacity()) {
            throw new IllegalArgumentException("%d tokens; the model takes at most %d, this sequence at most %d"
                    .formatted(end, config.maxTokens(), sequence.capacity()));
        }
        if (!config.causal() && sequence.tokens() > 0) {
            throw new IllegalArgumentException("a bidirectional model processes a text in one pass");
        }
    }

    private void requireCapacity(Batch batch, Optional<HeadGates> gates) {
        for (int[] ids : batch.texts()) {
            if (ids.length > config.maxTokens()) {
                throw new IllegalArgumentException(
                        "%d tokens; the model takes at most %d".formatted(ids.length, config.maxTokens()));
            }
        }
        if (gates.isPresent() && gates.get().texts() != batch.texts().size()) {
            throw new IllegalArgumentException("gates of %d texts for a batch of %d"
                    .formatted(gates.get().texts(), batch.texts().size()));
        }
    }

    private void requireCausal() {
        if (!config.causal()) {
            throw new IllegalArgumentException("the backward pass requires a causal model; %s is bidirectional"
                    .formatted(config.family().modelType()));
        }
    }

    @Override
    public void close() {
        workspace.close();
        ropes.close();
        weightBuffers.forEach(Buffer::close);
    }
}
