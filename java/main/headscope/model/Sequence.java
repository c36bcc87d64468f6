package headscope.model;

import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One text in a model: keys and values of every layer and, optionally, attention statistics. */
public final class Sequence implements AutoCloseable {
    private final Backend backend;
    private final int capacity;
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();
    private final List<AttentionStatistics> statistics = new ArrayList<>();
    private int tokens;

    /**
     * @param capacity           maximum number of tokens
     * @param collectsStatistics whether attention statistics are collected
     */
    Sequence(ModelConfig config, Backend backend, int capacity, boolean collectsStatistics) {
        this.backend = backend;
        this.capacity = capacity;
        for (int layer = 0; layer < config.layers(); layer++) {
            keys.add(backend.allocate(backend.operands(), capacity, config.keyWidth()));
            values.add(backend.allocate(backend.operands(), capacity, config.keyWidth()));
            if (collectsStatistics) {
                statistics.add(new AttentionStatistics(backend, config.heads(), capacity));
            }
        }
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
        return statistics.isEmpty() ? Optional.empty() : Optional.of(statistics.get(layer));
    }

    /** @throws IllegalStateException if this sequence collects no statistics */
    public AttentionStatistics statistics(int layer) {
        return findStatistics(layer)
                .orElseThrow(() -> new IllegalStateException("this sequence collects no statistics"));
    }

    /** Appends keys and values of new tokens in one layer. {@link #grow} counts them after the last layer. */
    void append(int layer, Tensor k, Tensor v) {
        backend.convert(keys.get(layer).rows(tokens, k.size(0)), k);
        backend.convert(values.get(layer).rows(tokens, v.size(0)), v);
    }

    /** Keys of a layer's first tokens [count, kvHeads * headDim], in {@link Backend#operands}. */
    public Tensor keys(int layer, int count) {
        return keys.get(layer).rows(0, count);
    }

    /** Values, like {@link #keys}. */
    Tensor values(int layer, int count) {
        return values.get(layer).rows(0, count);
    }

    void grow(int count) {
        tokens += count;
    }

    /** Empties the sequence for another text. */
    public void clear() {
        tokens = 0;
        statistics.forEach(AttentionStatistics::clear);
    }

    @Override
    public void close() {
        keys.stream().map(Tensor::buffer).forEach(Buffer::close);
        values.stream().map(Tensor::buffer).forEach(Buffer::close);
        statistics.forEach(AttentionStatistics::close);
    }
}
