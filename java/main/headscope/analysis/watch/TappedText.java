package headscope.analysis.watch;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.model.LayerHook;
import headscope.result.tapped.TappedAttention;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keys and attention statistics of a text that a model in another process reads: the counterpart of a
 * {@link headscope.model.Sequence}. A hook observes it as it observes our own model.
 *
 * <p>Statistics need every row. If messages of a text are missing, or the text outgrows the capacity, the rest of it is
 * ignored until the next text begins.
 */
public final class TappedText implements AutoCloseable {
    private static final String WAITING = "waiting for the next text";

    private final Backend backend;
    private final int capacity;
    private final Optional<AtlasSpec> atlas;
    private final List<Optional<Layer>> layers = new ArrayList<>();
    private Optional<AttentionStatistics> statistics = Optional.empty();
    private int text;
    private Optional<String> ignored = Optional.of(WAITING);

    /**
     * @param capacity maximum number of tokens of a text
     * @param atlas    collects pooled maps of every layer
     */
    public TappedText(Backend backend, int layers, int capacity, Optional<AtlasSpec> atlas) {
        this.backend = backend;
        this.capacity = capacity;
        this.atlas = atlas;
        for (int layer = 0; layer < layers; layer++) {
            this.layers.add(Optional.empty());
        }
    }

    /** Adds rows of a layer. The hook is called when the layer has all rows of a pass. */
    public void append(TappedAttention rows, LayerHook hook) {
        if (rows.text() != text) {
            begin(rows);
        }
        if (ignored.isEmpty() && statistics().heads() != layers.size() * rows.heads()) {
            ignored = waiting("layer %d has %d heads, earlier ones have another number".formatted(rows.layer(), rows.heads()));
        }
        if (ignored.isEmpty()) {
            Layer layer = layer(rows);
            ignored = obstacle(layer, rows);
            if (ignored.isEmpty() && layer.append(rows)) {
                LayerHook.Attention attention = layer.attend();
                AttentionStatistics all = statistics.orElseThrow();
                all.grow(tokens() - all.tokens());
                hook.attention(rows.layer(), attention);
            }
        }
    }

    private void begin(TappedAttention rows) {
        text = rows.text();
        ignored = rows.first() == 0 ? Optional.empty() : waiting("the first %d tokens of this one were missed".formatted(rows.first()));
        int heads = layers.size() * rows.heads();
        if (statistics.map(all -> all.heads() != heads).orElse(true)) {
            close();
            statistics = Optional.of(new AttentionStatistics(backend, heads, AttentionStatistics.aligned(capacity), atlas));
        }
        clearRows();
    }

    private void clearRows() {
        statistics.ifPresent(AttentionStatistics::clear);
        layers.forEach(layer -> layer.ifPresent(Layer::clear));
    }

    private Layer layer(TappedAttention rows) {
        Optional<Layer> existing = layers.get(rows.layer());
        if (existing.isPresent() && existing.get().tokens == 0 && !existing.get().like.attendsLike(rows)) {
            existing.get().close();
            existing = Optional.empty();
        }
        Layer layer = existing.orElseGet(() -> new Layer(rows));
        layers.set(rows.layer(), Optional.of(layer));
        return layer;
    }

    private Optional<String> obstacle(Layer layer, TappedAttention rows) {
        int expected = layer.tokens + layer.pending;
        if (rows.first() != expected) {
            return waiting("tokens from %d on are missing in layer %d".formatted(expected, rows.layer()));
        }
        if (rows.end() > capacity) {
            return waiting("this one has more than %d tokens (--max-tokens)".formatted(capacity));
        }
        return layer.like.attendsLike(rows) ? Optional.empty()
                : waiting("layer %d attends in another way than before".formatted(rows.layer()));
    }

    private static Optional<String> waiting(String reason) {
        return Optional.of(WAITING + ": " + reason);
    }

    /** Why the rest of the text is ignored; empty if it is not. */
    public Optional<String> ignored() {
        return ignored;
    }

    /** Number of the text, as counted by the tap; 0 before the first. */
    public int text() {
        return text;
    }

    /** Number of tokens that all layers have read. */
    public int tokens() {
        return layers.stream().mapToInt(layer -> layer.map(read -> read.tokens).orElse(0)).min().orElse(0);
    }

    /**
     * Shape, scale and mask of a layer's attention.
     *
     * @throws IllegalStateException if the layer has read nothing yet, as in {@link #keys} and {@link #statistics}
     */
    public AttentionSpec attentionSpec(int layer) {
        return read(layer).spec;
    }

    /** Queries of a layer's first tokens [count, heads * headDim], fp32. */
    public Tensor queries(int layer, int count) {
        return read(layer).queries.rows(0, count);
    }

    /** Keys of a layer's first tokens [count, kvHeads * headDim], in {@link Backend#operands}. */
    public Tensor keys(int layer, int count) {
        return read(layer).keys.rows(0, count);
    }

    /** Statistics of a layer's attention. */
    public AttentionStatistics statistics(int layer) {
        return read(layer).statistics;
    }

    /**
     * Statistics of the heads of all layers, layer by layer, as of the last complete pass: for {@link Backend#snapshot}.
     *
     * @throws IllegalStateException before the first text
     */
    public AttentionStatistics statistics() {
        return statistics.orElseThrow(() -> new IllegalStateException("no text has begun"));
    }

    private Layer read(int layer) {
        return layers.get(layer).orElseThrow(() -> new IllegalStateException("layer " + layer + " has read nothing yet"));
    }

    /** Waits for the next text: after a restart, the tap counts texts from 1 again. */
    public void clear() {
        text = 0;
        ignored = Optional.of(WAITING);
        clearRows();
    }

    @Override
    public void close() {
        layers.forEach(layer -> layer.ifPresent(Layer::close));
        layers.replaceAll(layer -> Optional.empty());
        statistics.ifPresent(AttentionStatistics::close);
        statistics = Optional.empty();
    }

    /** One layer. */
    private final class Layer {
        final TappedAttention like;
        final Optional<Tensor> sinks;
        final AttentionSpec spec;
        final Tensor keys;
        final Tensor queries;
        final AttentionStatistics statistics;
        int tokens;
        int pending;

        Layer(TappedAttention like) {
            this.like = like;
            this.sinks = like.sinks().length == 0 ? Optional.empty() : Optional.of(backend.allocate(DType.F32, like.heads()));
            sinks.ifPresent(tensor -> backend.upload(tensor, MemorySegment.ofArray(like.sinks())));
            this.spec = new AttentionSpec(
                    like.heads(), like.kvHeads(), like.headDim(), like.scale(), like.causal(), like.window(), like.softCap(),
                    sinks);
            this.keys = backend.allocate(backend.operands(), capacity, (long) like.kvHeads() * like.headDim());
            this.queries = backend.allocate(DType.F32, capacity, (long) like.heads() * like.headDim());
            this.statistics = TappedText.this.statistics().heads(like.layer() * like.heads(), like.heads());
        }

        /** Stores the rows. @return whether the pass is complete in this layer */
        boolean append(TappedAttention rows) {
            store(queries.rows(rows.first(), rows.count()), rows.query(), rows);
            store(keys.rows(rows.first(), rows.count()), rows.key(), rows);
            pending += rows.count();
            return tokens + pending == rows.end();
        }

        private void store(Tensor destination, MemorySegment values, TappedAttention rows) {
            if (rows.onGpu()) {
                Buffer received = new Buffer(values, () -> {});
                backend.convert(destination, Tensor.of(received, rows.dtype(), destination.shape()));
                return;
            }
            if (destination.dtype() == rows.dtype()) {
                backend.upload(destination, values);
                return;
            }
            Tensor received = backend.allocate(rows.dtype(), destination.shape());
            backend.upload(received, values);
            backend.convert(destination, received);
            received.buffer().close();
        }

        LayerHook.Attention attend() {
            Tensor q = queries.rows(tokens, pending);
            tokens += pending;
            pending = 0;
            Tensor k = keys.rows(0, tokens);
            Packing packing = Packing.of(q.intSize(0), k.intSize(0));
            backend.attentionStatistics(q, k, packing, spec, statistics);
            return new LayerHook.Attention(spec, q, k, packing, statistics);
        }

        void clear() {
            tokens = 0;
            pending = 0;
            statistics.clear();
        }

        void close() {
            sinks.ifPresent(tensor -> tensor.buffer().close());
            keys.buffer().close();
            queries.buffer().close();
        }
    }
}
