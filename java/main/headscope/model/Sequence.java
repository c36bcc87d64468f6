package headscope.model;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Projections;
import headscope.backend.TensorScope;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** One text in a model: keys and values of every layer and, optionally, attention statistics and queries. */
public final class Sequence implements AutoCloseable {
    private final int capacity;
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();
    private final List<Tensor> queries = new ArrayList<>();
    /** Of the heads of all layers, layer by layer. */
    private final Optional<AttentionStatistics> statistics;
    private final List<AttentionStatistics> ofLayers;
    private final TensorScope owned;
    private int tokens;

    /**
     * What a sequence collects besides keys and values.
     *
     * @param statistics whether attention statistics are collected
     * @param atlas      pooled maps, with the statistics
     * @param queries    whether the queries of all tokens are kept
     */
    record Collected(boolean statistics, Optional<AtlasSpec> atlas, boolean queries) {}

    /** @param capacity maximum number of tokens */
    Sequence(ModelConfig config, Backend backend, int capacity, Collected collected) {
        this.capacity = capacity;
        this.owned = new TensorScope(backend);
        try {
            for (int layer = 0; layer < config.layers(); layer++) {
                keys.add(owned.allocate(backend.operands(), capacity, config.keyWidth()));
                values.add(owned.allocate(backend.operands(), capacity, config.keyWidth()));
                if (collected.queries()) {
                    queries.add(owned.allocate(backend.operands(), capacity, config.queryWidth()));
                }
            }
            this.statistics = collected.statistics()
                    ? Optional.of(owned.statistics(
                            config.layers() * config.heads(), AttentionStatistics.aligned(capacity), collected.atlas()))
                    : Optional.empty();
        } catch (Throwable failure) {
            owned.close();
            throw failure;
        }
        this.ofLayers = statistics.stream()
                .flatMap(all -> IntStream.range(0, config.layers())
                        .mapToObj(layer -> all.heads(layer * config.heads(), config.heads())))
                .toList();
    }

    public int capacity() {
        return capacity;
    }

    /** Number of tokens processed so far. */
    public int tokens() {
        return tokens;
    }

    /** Statistics of a layer's attention, if they are collected. */
    Optional<AttentionStatistics> findStatistics(int layer) {
        return ofLayers.isEmpty() ? Optional.empty() : Optional.of(ofLayers.get(layer));
    }

    /** @throws IllegalStateException if this sequence collects no statistics */
    public AttentionStatistics statistics(int layer) {
        return findStatistics(layer).orElseThrow(Sequence::noStatistics);
    }

    /**
     * Statistics of the heads of all layers, layer by layer, as of the last complete pass: for
     * {@link Backend#snapshot}.
     *
     * @throws IllegalStateException if this sequence collects no statistics
     */
    public AttentionStatistics statistics() {
        return statistics.orElseThrow(Sequence::noStatistics);
    }

    private static IllegalStateException noStatistics() {
        return new IllegalStateException("this sequence collects no statistics");
    }

    /**
     * Where queries, keys and values of new tokens go in one layer; {@link #grow} counts them.
     *
     * @param q for the queries, unless they are kept
     */
    Projections room(int layer, Tensor q) {
        long rows = q.size(0);
        return new Projections(queries.isEmpty() ? q : queries.get(layer).rows(tokens, rows),
                keys.get(layer).rows(tokens, rows), values.get(layer).rows(tokens, rows));
    }

    /** Keys of a layer's first tokens [count, kvHeads * headDim], in {@link Backend#operands}. */
    Tensor keys(int layer, int count) {
        return keys.get(layer).rows(0, count);
    }

    /** Values, like {@link #keys}. */
    Tensor values(int layer, int count) {
        return values.get(layer).rows(0, count);
    }

    /**
     * Queries of a layer [count, heads * headDim], in {@link Backend#operands}.
     *
     * @throws IllegalStateException if this sequence does not keep queries
     */
    Tensor queries(int layer, int first, int count) {
        if (queries.isEmpty()) {
            throw new IllegalStateException("this sequence does not keep queries");
        }
        return queries.get(layer).rows(first, count);
    }

    /** Called after the last layer. */
    void grow(int count) {
        tokens += count;
        statistics.ifPresent(all -> all.grow(count));
    }

    /** Empties the sequence for another text. */
    public void clear() {
        tokens = 0;
        statistics.ifPresent(AttentionStatistics::clear);
        ofLayers.forEach(AttentionStatistics::clear);
    }

    @Override
    public void close() {
        owned.close();
    }
}
