package headscope.model;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Packing;
import headscope.backend.Projections;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.Buffer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** A transformer of any supported family, driven by {@link ModelConfig}. Not thread-safe. */
public final class Transformer implements AutoCloseable {
    private final ModelConfig config;
    private final Backend backend;
    private final List<Buffer> weightBuffers = new ArrayList<>();
    private final Weights weights;
    private final RopeTables ropes;
    private final Workspace workspace;
    private final KeptLayers kept;
    private final Activations activations;
    private final Adjoints adjoints;
    private final SelfAttention attention;
    private final Layers layers;
    private final LogitsHead head;

    /** Uploads the weights. The checkpoint can be closed afterwards. */
    public Transformer(Checkpoint checkpoint, Backend backend) {
        this(checkpoint, backend, OptionalLong.empty());
    }

    /** @param kept bytes of activations that a tape may keep; by default as many as the backend can once the weights are there */
    Transformer(Checkpoint checkpoint, Backend backend, OptionalLong kept) {
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
        this.kept = new KeptLayers(config, backend, kept.orElseGet(backend::keepableBytes));
        this.activations = new Activations(config, workspace);
        this.adjoints = new Adjoints(config, workspace);
        this.attention = new SelfAttention(config, weights, backend, activations, adjoints);
        this.layers = new Layers(config, weights, backend, activations, adjoints, attention);
        this.head = new LogitsHead(config, weights, backend, activations, adjoints);
    }

    /**
     * Refuses a checkpoint whose weights the backend cannot take, without reading them.
     *
     * @throws headscope.tensor.ModelFormatException if a tensor is missing, or none has the type that the backend is to keep
     */
    public static void require(Checkpoint checkpoint, Backend backend) {
        WeightReader.require(checkpoint, backend);
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
        int end = sequence.tokens() + ids.length;
        requireCapacity(sequence, ids.length);
        try (Pass pass = new Pass(backend, ropes, Packing.of(ids.length, end))) {
            Tensor x = embedded(ids, pass);
            layers.forward(pass, x, Optional.empty(), hook, (layer, heads, joined) -> {
                Projections rows = attention.split(sequence.room(layer, query(pass)), layer, joined, pass);
                attend(heads, layer, new Projections(rows.q(), sequence.keys(layer, end), sequence.values(layer, end)), pass,
                        sequence.findStatistics(layer), hook);
            });
            sequence.grow(ids.length);
            return x;
        }
    }

    /**
     * Texts that the model continues together, several at a time.
     *
     * @param texts     maximum number of texts at a time
     * @param capacity  maximum number of tokens of a text
     * @param allTokens maximum number of tokens of as many texts together
     */
    SequenceBatch sequences(int texts, int capacity, long allTokens, boolean statistics) {
        if (capacity > config.maxTokens()) {
            throw new IllegalArgumentException("a text of up to %d tokens; the model takes at most %d"
                    .formatted(capacity, config.maxTokens()));
        }
        return new SequenceBatch(config, backend, texts, capacity, allTokens, statistics);
    }

    /**
     * Appends tokens to several sequences.
     *
     * @return output of the last layer [all tokens of the parts, hidden], for {@link #logits}; valid until the next call
     */
    Tensor forward(SequenceBatch sequence, List<SequenceBatch.Part> parts, LayerHook hook) {
        int[] ids = parts.stream().flatMapToInt(part -> Arrays.stream(part.ids())).toArray();
        try (Pass pass = new Pass(backend, ropes, sequence.packing(parts))) {
            Tensor x = embedded(ids, pass);
            forward(x, sequence, pass, hook);
            sequence.grow(pass.packing());
            return x;
        }
    }

    private void forward(Tensor x, SequenceBatch sequence, Pass pass, LayerHook hook) {
        layers.forward(pass, x, Optional.empty(), hook, (layer, heads, joined) -> attend(
                heads, layer, attention.split(sequence.operands(layer, query(pass)), layer, joined, pass), pass,
                sequence.findStatistics(layer), hook));
    }

    private Tensor query(Pass pass) {
        return activations.layer.query.rows(pass.rows());
    }

    /**
     * Appends a token to each text and chooses its next one. Nothing is copied between host and device, so the operations
     * can be recorded; a recording is valid until {@link #moves} changes. {@link SequenceBatch#grow} counts the tokens.
     */
    void step(SequenceBatch sequence, DecodingTexts texts, Sampler sampler) {
        texts.advance();
        try (Pass pass = new Pass(backend, ropes, texts.packing())) {
            Tensor x = activations.residual.rows(pass.rows());
            layers.embed(x, texts, pass);
            forward(x, sequence, pass, LayerHook.NONE);
            sampler.next(texts, logits(x));
        }
    }

    /** How often tensors that passes share have moved in memory. */
    long moves() {
        return workspace.moves() + ropes.moves();
    }

    /**
     * Processes whole texts and measures their attention: {@link LayerHook#attention} receives the statistics of one
     * layer after the other. Each text attends only to itself.
     *
     * @return output of the last layer [rows, hidden], for {@link #logits}; valid until the next call
     */
    public Tensor observe(Batch batch, LayerHook hook) {
        try (AttentionStatistics statistics =
                new AttentionStatistics(backend, config.heads(), batch.lengths(), Optional.empty())) {
            return read(batch, Optional.empty(), Optional.of(statistics), hook);
        }
    }

    /**
     * Processes whole texts, without statistics and without what {@link #backward} needs. Each text attends only to
     * itself.
     *
     * @param gates factors on head outputs, one set per text
     * @return output of the last layer [rows, hidden], for {@link #logits}; valid until the next call
     */
    public Tensor read(Batch batch, Optional<HeadGates> gates, LayerHook hook) {
        return read(batch, gates, Optional.empty(), hook);
    }

    /** @param statistics of a layer at a time, overwritten by the next layer */
    private Tensor read(
            Batch batch, Optional<HeadGates> gates, Optional<AttentionStatistics> statistics, LayerHook hook) {
        requireCapacity(batch, gates);
        try (Pass pass = new Pass(backend, ropes, batch.packing())) {
            Tensor x = embedded(batch.ids(), pass);
            layers.forward(pass, x, gates, hook, (layer, heads, joined) -> {
                statistics.ifPresent(AttentionStatistics::clear);
                Projections to = attention.operands(pass.rows(), activations.layer);
                attend(heads, layer, attention.split(to, layer, joined, pass), pass, statistics, hook);
            });
            return x;
        }
    }

    private void attend(
            Tensor heads, int layer, Projections operands, Pass pass,
            Optional<AttentionStatistics> statistics, LayerHook hook) {
        AttentionSpec spec = attentionSpec(layer);
        backend.attention(heads, operands.q(), operands.k(), operands.v(), pass.packing(), spec, statistics);
        statistics.ifPresent(collected -> hook.attention(layer, new LayerHook.Attention(
                spec, operands.q(), operands.k(), pass.packing(), collected)));
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
     * Processes whole texts and keeps what {@link #backward} needs. Each text attends only to itself.
     *
     * @param gates factors on head outputs, one set per text
     * @return input of {@link #logits(Tape, int[])} and {@link #backward}; the caller closes it
     */
    public Tape forward(Batch batch, Optional<HeadGates> gates, LayerHook hook) {
        requireCapacity(batch, gates);
        Pass pass = new Pass(backend, ropes, batch.packing());
        Tape tape = new Tape(config, backend, batch, pass, gates, kept, activations.layer);
        try {
            layers.embed(tape.residual(0), batch.ids(), pass);
            layers.forward(tape, hook);
            return tape;
        } catch (Throwable failure) {
            tape.close();
            throw failure;
        }
    }

    /**
     * Runs passes over many texts: all at once or, if out of memory, without keeping activations for the backward pass, then half of
     * the texts at a time.
     */
    public void splitOnOutOfMemory(int texts, SplitOnOutOfMemory.Work passes) {
        SplitOnOutOfMemory.run(texts, (first, count) -> run(passes, first, count));
    }

    private void run(SplitOnOutOfMemory.Work passes, int first, int count) {
        try {
            passes.run(first, count);
        } catch (DeviceMemoryException full) {
            workspace.clear();
            if (!kept.giveUp()) {
                throw full;
            }
            run(passes, first, count);
        }
    }

    /**
     * Logits of some rows.
     *
     * @param rows of the batch, without repetition
     * @return [rows.length, vocabulary]; valid until the next call
     */
    public Tensor logits(Tape tape, int[] rows) {
        return logits(tape.hidden(), rows);
    }

    /**
     * Logits of some rows.
     *
     * @param hidden output of the last layer [all rows, hidden]
     * @param rows   without repetition
     * @return [rows.length, vocabulary]; valid until the next call
     */
    public Tensor logits(Tensor hidden, int[] rows) {
        return logits(picked(hidden, rows));
    }

    /**
     * Propagates the gradient of a scalar back to the head outputs of the first layer; the hook observes it in each
     * layer. Activations that the tape has not kept are computed again.
     *
     * @param rows           of the batch, without repetition
     * @param logitsGradient with respect to {@link #logits(Tape, int[])} of these rows; overwritten
     * @throws IllegalArgumentException if the model is bidirectional
     */
    public void backward(Tape tape, int[] rows, Tensor logitsGradient, GradientHook hook) {
        requireCausal();
        Tensor pickedGradient = adjoints.picked.rows(rows.length);
        head.backward(pickedGradient, logitsGradient, picked(tape.hidden(), rows));
        Tensor gradient = adjoints.residual.rows(tape.batch().rows());
        backend.gradients().embed(gradient, pickedGradient, rows);
        for (int i = config.layers() - 1; i >= 0; i--) {
            layers.backward(i, tape, gradient, hook);
        }
    }

    /** The input of the first layer, in a workspace that later passes overwrite. */
    private Tensor embedded(int[] ids, Pass pass) {
        Tensor x = activations.residual.rows(ids.length);
        layers.embed(x, ids, pass);
        return x;
    }

    private Tensor picked(Tensor hidden, int[] rows) {
        Tensor picked = activations.picked.rows(rows.length);
        backend.embed(picked, hidden, rows);
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
        kept.close();
        ropes.close();
        weightBuffers.forEach(Buffer::close);
    }
}
